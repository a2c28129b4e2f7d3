/** Large letters, forced colours, keys and links: what people bring along. */

import type { BrowserContextOptions, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { chromiumSilent, chromiumWith } from './launch';
import { Server } from './server';
import type { Speech } from './speech';
import { speak } from './speech';
import { Station } from './station';

let server: Server;
let speech: Speech;

test.beforeAll(() => {
  speech = speak('One, two, three, four, five.');
});
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.end());

async function listener(options: BrowserContextOptions = {}, channel = '19'): Promise<Station> {
  const one = await Station.open(await chromiumSilent(), server.url, channel, options);
  await one.register('Listener');
  return one;
}

async function talker(): Promise<Station> {
  const one = await Station.open(await chromiumWith(speech.file), server.url);
  await one.register('Roadrunner');
  return one;
}

const SIZES = [
  [390, 844],
  [360, 640],
  [320, 568],
  [844, 390],
  [1280, 800],
  [1024, 600],
] as const;

test('at every size of window and letters the air has a height, the button stays, nothing runs out at the side', async () => {
  const one = await listener();
  const other = await talker();
  for (let i = 0; i < 6; i += 1) await other.say(200);
  await one.until(({ air }) => air.length === 6 && air[5]?.state === 'played');
  await other.close();
  for (const letters of [100, 200]) {
    for (const [width, height] of SIZES) {
      await test.step(`letters at ${letters} % in ${width} x ${height}`, async () => {
        await one.page.setViewportSize({ width, height });
        await fits(one.page, letters, width);
      });
    }
  }
  await one.close();
});

/** Holds the promises of a layout in a window of this width. */
async function fits(page: Page, letters: number, width: number): Promise<void> {
  await page.evaluate((letters) => {
    document.documentElement.style.fontSize = `${letters}%`;
  }, letters);
  const talk = page.locator('button.talk');
  await expect(talk).toBeInViewport({ ratio: 1 });
  // The newest row can be read whole, above the button or beside it.
  const row = page.locator('.air li').last();
  await row.scrollIntoViewIfNeeded();
  await page.mouse.move(width / 2, 120);
  await page.mouse.wheel(0, 2_000);
  await expect(row).toBeInViewport({ ratio: 0.9 });
  await expect(talk).toBeInViewport({ ratio: 1 });
  const [list, newest, button] = await Promise.all(
    [page.locator('.air'), row, talk].map((one) => one.boundingBox()),
  );
  if (!list || !newest || !button) throw new Error('something is not there');
  expect(list.height).toBeGreaterThanOrEqual(80);
  const apart = newest.y + newest.height <= button.y + 1 || newest.x + newest.width <= button.x;
  expect(apart).toBe(true);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(over).toBeLessThanOrEqual(0);
}

for (const colorScheme of ['dark', 'light'] as const) {
  test(`forced colours, ${colorScheme}: 19 reads 19, both lanes of the range and the live ring are seen`, async () => {
    const other = await Station.open(await chromiumWith(speech.file), server.url);
    const { page } = other;
    await page.emulateMedia({ forcedColors: 'active', colorScheme });
    for (const place of ['the first visit', 'the radio']) {
      if (place === 'the radio') await other.register('Roadrunner');
      await expect.poll(() => digitsOf(page), place).toEqual(['bc', 'abcdfg']);
    }
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    for (const lane of ['.tx .reach', '.rx .reach']) {
      await expect(page.locator(lane)).not.toHaveCSS('background-color', ground);
    }
    await other.press();
    await other.until(({ button }) => button.state === 'talking' && button.granted);
    await expect(page.locator('circle.left')).toHaveCSS('stroke', await plain(page));
    await other.release();
    await other.close();
  });
}

/** The segments of each digit that are painted in the colour of text, and that nothing else is painted at all. */
function digitsOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const digits = [...document.querySelectorAll('svg > g > g')];
    return digits.map((digit) =>
      [...digit.querySelectorAll('polygon')]
        .filter((segment) => getComputedStyle(segment).fill !== 'none')
        .map(({ dataset }) => dataset.segment)
        .join(''),
    );
  });
}

/** The colour of text. */
function plain(page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.body).color);
}

test('the space bar works the button that has the focus; after a click it talks', async () => {
  const one = await Station.open(await chromiumWith(speech.file), server.url);
  await one.register('Roadrunner');
  const { page } = one;
  const higher = page.getByRole('button', { name: 'Higher channel' });
  await page.keyboard.press('Tab');
  await higher.focus();
  await page.keyboard.press('Space');
  await one.until(({ channel, tuned }) => channel === '20' && '20' in tuned);
  expect((await one.state()).microphone).toBe('unasked');
  expect((await one.state()).air).toEqual([]);
  await higher.click();
  await one.until(({ channel, tuned }) => channel === '21' && '21' in tuned);
  await one.say(300);
  expect((await one.state()).channel).toBe('21');
  await one.close();
});

test('links are read as the field reads them, and one to no channel says so', async () => {
  const one = await listener({}, '07');
  expect((await one.state()).channel).toBe('7');
  expect(new URL(one.page.url()).pathname).toBe('/c/7');
  await one.page.goto(`${server.url}/c/ABC?measure`);
  await one.until(({ tuned }) => 'abc' in tuned);
  expect(new URL(one.page.url()).pathname).toBe('/c/abc');
  await expect(one.page.getByRole('alert')).toHaveCount(0);
  await one.page.goto(`${server.url}/c/41?measure`);
  await one.until(({ link, tuned, channel }) => link.state === 'on_the_air' && channel in tuned);
  await expect(one.page.getByRole('alert')).toContainText(/There is no channel .?41/);
  await one.page.getByRole('button', { name: 'Dismiss' }).click();
  await expect(one.page.getByRole('alert')).toHaveCount(0);
  await one.close();
});
