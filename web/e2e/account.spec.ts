/** What the server has stored of a person: changed, taken along, erased. */

import { readFile } from 'node:fs/promises';
import type { BrowserContextOptions } from '@playwright/test';
import { expect, test } from '@playwright/test';
import type { Held } from '../src/gen/Held';
import { chromiumSilent } from './launch';
import { Server } from './server';
import { Station } from './station';

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  colorScheme: 'dark',
};

let server: Server;

test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.end());

async function station(handle: string): Promise<Station> {
  const one = await Station.open(await chromiumSilent(), server.url, '19', PHONE);
  await one.register(handle);
  return one;
}

async function openSettings({ page }: Station): Promise<void> {
  await page.getByRole('button', { name: 'Settings' }).click();
  await expect(page.getByLabel('Handle')).toBeVisible();
}

test('a new handle and a new line are seen by others at once; a bad one is told at its field', async () => {
  const one = await station('Roadrunner');
  const other = await station('Oak');
  const { page } = one;
  await openSettings(one);
  await page.getByLabel('Handle').fill('A handle of more than twenty-four letters');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Handle')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Handle')).toBeFocused();
  await expect(page.getByRole('alert')).toContainText('24');

  await page.getByLabel('Handle').fill('Silver Fox');
  await page.getByLabel('About you').fill('truck, Koper to Graz');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved. Others see it now.')).toBeVisible();
  await page.screenshot({ path: test.info().outputPath('profile-phone.png') });
  await other.until(({ tuned }) =>
    Boolean(
      tuned['19']?.participants.some(
        ({ handle, description }) =>
          handle === 'Silver Fox' && description === 'truck, Koper to Graz',
      ),
    ),
  );
  const names = (await one.state()).tuned['19']?.participants.map(({ handle }) => handle);
  expect(names).toEqual(['Oak', 'Silver Fox']);
  await one.close();
  await other.close();
});

test('what is stored comes as a file of JSON with the handle in it', async () => {
  const one = await station('Roadrunner');
  await openSettings(one);
  const coming = one.page.waitForEvent('download');
  await one.page.getByRole('button', { name: 'Download' }).click();
  const file = await coming;
  expect(file.suggestedFilename()).toBe('tenfour-Roadrunner.json');
  const held = JSON.parse(await readFile(await file.path(), 'utf8')) as Held;
  expect(held.handle).toBe('Roadrunner');
  expect(held.sessions).toHaveLength(1);
  await one.close();
});

test('logging out everywhere ends the other sessions, too', async () => {
  const one = await station('Roadrunner');
  const context = one.page.context();
  const first = await context.cookies();
  // Without its cookie the page logs in with the device key: a second session.
  await context.clearCookies();
  await one.page.reload();
  await expect(one.page.getByRole('banner')).toContainText('on the air');
  expect(await context.cookies()).not.toEqual(first);
  await openSettings(one);
  await one.page.getByRole('button', { name: 'Log out everywhere' }).click();
  await one.until(({ link }) => link.state === 'gone' && link.refusal.code === 'logged_out');
  await context.addCookies(first);
  expect(await statusOfMe(one)).toBe(401);
  await one.close();
});

test('erasing everything asks once more, and is back at the first visit for good', async () => {
  const one = await station('Roadrunner');
  const { page } = one;
  const before = (await one.state()).me?.user;
  const cookies = await page.context().cookies();
  await openSettings(one);
  await page.getByRole('button', { name: 'Erase everything' }).click();
  await expect(page.getByRole('button', { name: 'Keep everything' })).toBeFocused();
  await expect(page.getByRole('button', { name: 'Erase for good' })).toBeInViewport({ ratio: 1 });
  await page.screenshot({ path: test.info().outputPath('erase-phone.png') });
  await page.getByRole('button', { name: 'Erase for good' }).click();
  await expect(page.getByRole('heading', { name: 'Choose a handle' })).toBeVisible();

  // The session of before is worth nothing, also to somebody who kept its cookie.
  await page.context().addCookies(cookies);
  expect(await statusOfMe(one)).toBe(401);
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Choose a handle' })).toBeVisible();

  await one.register('Roadrunner');
  const after = (await one.state()).me?.user;
  expect(after).toBeTruthy();
  expect(after).not.toBe(before);
  await one.close();
});

/** What the server answers with, to the cookies of this browser. */
function statusOfMe({ page }: Station): Promise<number> {
  return page.evaluate(async () => (await fetch('/api/v1/me')).status);
}
