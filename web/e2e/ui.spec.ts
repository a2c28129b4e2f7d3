/**
 * The page as people see it: what each state says, at phone and desktop size. The pictures of the
 * README come from here: `SCREENSHOTS=../docs/screenshots npm run e2e -- ui.spec.ts`. Without
 * that they stay with the test's results.
 */

import { join, resolve } from 'node:path';
import type { BrowserContextOptions } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { chromiumSilent, chromiumWith } from './launch';
import type { At } from './location';
import { at, FAR, HOME, NEAR, set, share, slider } from './location';
import { Server } from './server';
import type { Speech } from './speech';
import { speak } from './speech';
import { Station } from './station';

const FORMS: Record<string, BrowserContextOptions> = {
  phone: {
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 1.5,
    hasTouch: true,
    isMobile: true,
    colorScheme: 'dark',
  },
  desktop: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
};

let speeches: [Speech, Speech, Speech];
let server: Server;

test.beforeAll(() => {
  speeches = [
    speak('Breaker one nine, this is Roadrunner. Is anybody out there tonight?'),
    speak('Roadrunner, this is Oak. Seven lorries wait under the bridge.', 'en-us+f3'),
    speak('Thank you Oak, I take the northern road then. Good night to all.', 'en-gb+m3'),
  ];
});
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.end());

async function station(handle: string, speech: Speech, form: BrowserContextOptions = {}) {
  const one = await Station.open(await chromiumWith(speech.file), server.url, '19', form);
  await one.register(handle);
  return one;
}

/** One who shares a location, too. */
async function located(handle: string, speech: Speech, where: At, form?: BrowserContextOptions) {
  const one = await station(handle, speech, { ...form, ...at(where) });
  await share(one);
  return one;
}

for (const [form, options] of Object.entries(FORMS)) {
  test(`idle, hearing and talking look and read as they should on a ${form}`, async () => {
    const roadrunner = await located('Roadrunner', speeches[0], FAR);
    const oak = await located('Oak', speeches[1], NEAR);
    const viewer = await located('Papa Tango', speeches[2], HOME, options);
    await set(viewer, 'Receive range', ['Home', 'PageUp'], 'you reach everybody, you hear 100 km');
    await set(
      viewer,
      'Transmit range',
      ['Home', 'ArrowRight', 'ArrowRight'],
      'you reach 50 km, you hear 100 km',
    );
    await slider(viewer, 'Transmit range').blur();
    const { page } = viewer;
    const button = page.locator('button.talk');
    const rows = page.locator('.air li');

    await roadrunner.say(speeches[0].seconds * 1000);
    await oak.say(speeches[1].seconds * 1000);
    await viewer.until(({ air }) => air.length === 2 && air.every((one) => one.state === 'played'));
    await expect(button).toContainText('Hold to talk');
    await expect(button).toHaveAttribute('aria-pressed', 'false');
    await expect(page.getByRole('banner')).toContainText('on the air');
    await expect(page.locator('.display')).toContainText('3 tuned in');
    await expect(rows.last()).toContainText('Oak');
    await expect(rows.last().getByRole('button')).toHaveAccessibleName(/S5, within 10 km/);
    await expect(page.locator('.range')).toContainText('You reach 50 km');
    await picture(viewer, `idle-${form}`);

    await roadrunner.press();
    await viewer.until(({ air }) => air.at(-1)?.state === 'playing');
    await oak.press();
    await viewer.until(
      ({ air }) => air.at(-1)?.state === 'waiting' && (air.at(-2)?.levels.length ?? 0) > 25,
    );
    await expect(button).toContainText('yours is heard next');
    await expect(rows.nth(2)).toContainText('on the air');
    await expect(rows.last()).toContainText('next');
    await picture(viewer, `hearing-${form}`);
    await roadrunner.release();
    await oak.release();
    await viewer.until(({ air }) => air.length === 4 && air.every((one) => one.state === 'played'));

    const box = await button.boundingBox();
    if (!box) throw new Error('the button is not to be seen');
    expect(box.width).toBeGreaterThanOrEqual(form === 'phone' ? 0.4 * 390 : 176);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await viewer.until(({ air }) => air.some((one) => one.own && one.length >= 3000));
    await expect(button).toContainText('On the air');
    await expect(button).toContainText(/0:0\d/);
    await expect(button).toHaveAttribute('aria-pressed', 'true');
    await expect(rows.last()).toContainText('You');
    await expect(page.getByRole('status').last()).toHaveText('you are on the air');
    await picture(viewer, `talking-${form}`);
    // Let go far away from the button: that ends the burst all the same.
    await page.mouse.move(5, 5);
    await page.mouse.up();
    await viewer.until(({ air }) => air.at(-1)?.state === 'sent');
    await expect(button).toContainText('Hold to talk');

    for (const each of [roadrunner, oak, viewer]) await each.close();
  });
}

test('a handle that the server refuses is told at its field, and can be mended', async () => {
  const one = await Station.open(await chromiumWith(speeches[0].file), server.url);
  const field = one.page.getByLabel('Handle');
  await field.fill('A handle of more than twenty-four letters');
  await one.page.getByRole('button', { name: 'Go on the air' }).click();
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(field).toBeFocused();
  await expect(one.page.getByRole('alert')).toContainText('24');
  await one.register('Roadrunner');
  await expect(one.page.getByRole('banner')).toContainText('Roadrunner');
  await one.close();
});

test('a server that goes is told in words, and comes back without a reload', async () => {
  const one = await station('Roadrunner', speeches[0]);
  const { page } = one;
  await server.down();
  await expect(page.getByRole('banner')).toContainText('coming back');
  await expect(page.locator('button.talk')).toContainText('No link');
  const retry = page.getByRole('button', { name: 'Try now' });
  await expect(retry).toBeVisible();
  await server.up();
  // The radio may be faster than a hand: then there is nothing left to press.
  await retry.evaluateAll((buttons: HTMLButtonElement[]) => {
    for (const button of buttons) button.click();
  });
  await expect(page.getByRole('banner')).toContainText('on the air');
  await expect(page.locator('button.talk')).toContainText('Hold to talk');
  await one.close();
});

test('without a microphone the button says what to do', async () => {
  const one = await Station.open(await chromiumSilent(), server.url);
  await one.register('Roadrunner');
  await one.press();
  await expect(one.page.locator('button.talk')).toContainText('No microphone');
  await expect(one.page.locator('.caption')).toContainText('Listening works.');
  await one.release();
  await one.close();
});

async function picture(viewer: Station, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  const path = folder
    ? join(resolve(folder), `${name}.png`)
    : test.info().outputPath(`${name}.png`);
  await viewer.page.screenshot({ path });
}
