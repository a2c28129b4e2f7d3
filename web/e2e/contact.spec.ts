/** Writing to the operator from a phone, and what a log-out leaves in the browser. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BrowserContextOptions } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { chromiumSilent } from './launch';
import { BINARY, Server } from './server';
import { Station } from './station';

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  colorScheme: 'dark',
};

interface Letter {
  id: number;
  handle: string;
  user: string;
  text: string;
}

let server: Server;

test.afterEach(() => server.end());

async function station(environment: Record<string, string> = {}): Promise<Station> {
  server = await Server.start(environment);
  const one = await Station.open(await chromiumSilent(), server.url, '19', PHONE);
  await one.register('Roadrunner');
  return one;
}

async function openSettings({ page }: Station): Promise<void> {
  await page.getByRole('button', { name: 'Settings' }).click();
  await expect(page.getByLabel('Message', { exact: true })).toBeVisible();
}

/** What the operator reads. */
async function inbox(): Promise<Letter[]> {
  const run = promisify(execFile);
  const { stdout } = await run(BINARY, ['admin', 'inbox', '--json', '--data', server.data]);
  return stdout.split('\n').flatMap((line) => (line ? [JSON.parse(line) as Letter] : []));
}

test('a message comes to the operator with handle and identifier; what is not sent stays', async () => {
  const one = await station();
  const { page } = one;
  await openSettings(one);
  const field = page.getByLabel('Message', { exact: true });
  const send = page.getByRole('button', { name: 'Send' });
  expect((await send.boundingBox())?.height).toBeGreaterThanOrEqual(44);
  await expect(field).toHaveAccessibleDescription(/Roadrunner \(.{4}\).*90 days/);
  await field.focus();
  await page.keyboard.type('Somebody whistles on 19');
  await page.keyboard.press('Enter');
  await page.keyboard.type('since noon.');

  await page.context().setOffline(true);
  await send.click();
  await expect(page.getByRole('alert')).toContainText('does not answer');
  await expect(field).toHaveValue('Somebody whistles on 19\nsince noon.');
  await expect(field).toBeFocused();
  await page.context().setOffline(false);

  await page.keyboard.press('Tab');
  await expect(send).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByText('Sent. The operator has it.')).toBeVisible();
  await expect(field).toHaveValue('');
  await page.screenshot({ path: test.info().outputPath('contact-phone.png') });

  const letters = await inbox();
  expect(letters).toHaveLength(1);
  expect(letters[0]).toMatchObject({
    handle: 'Roadrunner',
    user: (await one.state()).me?.user,
    text: 'Somebody whistles on 19\nsince noon.',
  });
  await field.fill('x'.repeat(2003));
  await expect(page.getByText('3 too many')).toBeVisible();
  await send.click();
  await expect(page.getByRole('alert')).toContainText('2000');
  await one.close();
});

test('after a log-out the jar is empty, the cookie of before is worth nothing, and its socket is closed', async () => {
  const one = await station({ TENFOUR_VISITOR_COOKIE: 'true' });
  const { page } = one;
  const context = page.context();
  const before = await context.cookies();
  expect(before.map(({ name }) => name).sort()).toEqual(['tenfour', 'tenfour-visitor']);
  expect(before.every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Strict')).toBe(true);
  // A second tab: its socket belongs to the same session.
  const opened = context.waitForEvent('page');
  await page.evaluate(() => void window.open('/c/7'));
  const tab = await opened;
  await expect(tab.getByRole('banner')).toContainText('on the air');
  await openSettings(one);
  await page.getByRole('button', { name: 'Log out', exact: true }).click();
  await one.until(({ link }) => link.state === 'gone' && link.refusal.code === 'logged_out');
  await expect(tab.getByRole('banner')).toContainText('gone');
  expect(await context.cookies()).toEqual([]);
  await context.addCookies(before);
  expect(await page.evaluate(async () => (await fetch('/api/v1/me')).status)).toBe(401);
  await one.close();
});
