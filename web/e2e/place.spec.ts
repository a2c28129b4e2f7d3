/** Range without a place: who hears whom, and what becomes of a location that is shared or is not. */

import type { BrowserContextOptions, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { cellToLatLng, greatCircleDistance, latLngToCell } from 'h3-js';
import { chromiumWith } from './launch';
import type { At } from './location';
import { agree, at, FAR, HOME, NEAR, set, share, slider } from './location';
import { Server } from './server';
import type { Speech } from './speech';
import { speak } from './speech';
import { Station } from './station';

let speech: Speech;
let server: Server;

/** What a page asked its browser and its servers for. */
interface Asked {
  scripts: string[];
  frames: string[];
}

declare global {
  interface Window {
    readings?: number;
  }
}

test.beforeAll(() => {
  speech = speak('How far does this go? One, two, three, four, five.');
});
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.end());

async function station(handle: string, options: BrowserContextOptions): Promise<[Station, Asked]> {
  const asked: Asked = { scripts: [], frames: [] };
  const browser = await chromiumWith(speech.file);
  const one = await Station.open(browser, server.url, '19', options, async (page) => {
    page.on('request', (request) => asked.scripts.push(request.url()));
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        if (typeof payload === 'string') asked.frames.push(payload);
      }),
    );
    await page.addInitScript(() => {
      const { geolocation } = navigator;
      const read = geolocation.getCurrentPosition.bind(geolocation);
      const watch = geolocation.watchPosition.bind(geolocation);
      window.readings = 0;
      // A browser may ask the person whenever a page reads, in one way or the other.
      geolocation.getCurrentPosition = (...its) => {
        window.readings = (window.readings ?? 0) + 1;
        read(...its);
      };
      geolocation.watchPosition = (...its) => {
        window.readings = (window.readings ?? 0) + 1;
        return watch(...its);
      };
    });
  });
  await one.register(handle);
  return [one, asked];
}

const allowed = (handle: string, where: At) => station(handle, at(where));
const denied = (handle: string) => station(handle, { permissions: ['microphone'] });

const readings = ({ page }: Station) => page.evaluate(() => window.readings);
const hears = (one: Station, count: number) =>
  one.until(
    ({ air }, wanted) => air.length === wanted && air.every(({ state }) => state === 'played'),
    count,
  );

/** Distance of the centres of two cells in km: what the server goes by. */
function apart(a: At, b: At): number {
  const [from, to] = [a, b].map(({ latitude, longitude }) =>
    cellToLatLng(latLngToCell(latitude, longitude, 6)),
  );
  return greatCircleDistance(from ?? [], to ?? [], 'km');
}

/** Everything that the page could find again at its next visit. */
function kept(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const found: unknown[] = [{ ...localStorage }, { ...sessionStorage }, document.cookie];
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((done, failed) => {
        const opening = indexedDB.open(name ?? '');
        opening.onsuccess = () => done(opening.result);
        opening.onerror = () => failed(opening.error);
      });
      for (const store of database.objectStoreNames) {
        const all = database.transaction(store).objectStore(store).getAll();
        await new Promise((done) => {
          all.onsuccess = done;
        });
        found.push(store, all.result);
      }
    }
    found.push(await caches.keys(), location.href, history.state);
    return JSON.stringify(found);
  });
}

const CELL = /\b8[0-9a-f]{14}\b/;
const COORDINATE = /\b(44\.8|45\.3|20\.46|20\.41|20\.6)/;

test('who is within both ranges hears, and who is not does not', async () => {
  expect(apart(HOME, NEAR)).toBeLessThan(9);
  expect(apart(HOME, FAR)).toBeGreaterThan(50);
  expect(apart(HOME, FAR)).toBeLessThan(100);
  const [[talker], [near], [far]] = [
    await allowed('Roadrunner', HOME),
    await allowed('Night Owl', NEAR),
    await allowed('Blue Jay', FAR),
  ];
  // The first touch of the range explains, then asks.
  await slider(talker, 'Transmit range').focus();
  await talker.page.keyboard.press('Home');
  await expect(talker.page.getByRole('dialog')).toContainText('What others see');
  expect(await readings(talker)).toBe(0);
  await agree(talker);
  await set(talker, 'Transmit range', ['ArrowRight'], 'you reach 25 km, you hear everybody');
  await share(near);
  await share(far);

  await talker.say(400);
  await hears(near, 1);
  await set(talker, 'Transmit range', ['End'], 'you reach everybody, you hear everybody');
  await talker.say(400);
  await hears(near, 2);
  // Bursts are told in order: the first one never was.
  await hears(far, 1);
  const silence = (await far.heard()).length;

  await set(far, 'Receive range', ['Home'], 'you reach everybody, you hear 10 km');
  await talker.say(400);
  await hears(near, 3);
  await set(far, 'Receive range', ['End'], 'you reach everybody, you hear everybody');
  await talker.say(400);
  await hears(near, 4);
  await hears(far, 2);
  expect((await far.heard()).length).toBeGreaterThan(silence);

  const grades = async (one: Station) => (await one.state()).air.map(({ grade }) => grade);
  expect(await grades(near)).toEqual([5, 5, 5, 5]);
  expect(await grades(far)).toEqual([2, 2]);
  await expect(near.page.getByRole('img', { name: 'S5, within 10 km' }).first()).toBeVisible();
  await expect(far.page.getByRole('img', { name: 'S2, within 100 km' }).first()).toBeVisible();
  await near.until(({ tuned }) =>
    (tuned['19']?.participants ?? []).every(({ country }) => country === 'RS'),
  );
  for (const one of [talker, near, far]) await one.close();
});

test('a location that is denied leaves everything but range, and is not asked for again', async () => {
  const [talker, asked] = await denied('Roadrunner');
  const [listener] = await allowed('Night Owl', NEAR);
  await share(listener);

  await slider(talker, 'Receive range').focus();
  await talker.page.keyboard.press('Home');
  await talker.page.getByRole('button', { name: 'Share my cell' }).click();
  await talker.until(({ location }) => location.state === 'denied');
  const range = talker.page.getByRole('region', { name: 'Range' });
  await expect(range).toContainText('Denied in the browser: range stays unlimited.');
  expect(await readings(talker)).toBe(1);

  // Nothing but unlimited is to be had, with the reason, and nobody is asked.
  for (const name of ['Transmit range', 'Receive range'] as const) {
    await slider(talker, name).focus();
    await talker.page.keyboard.press('Home');
    await expect(talker.page.getByRole('dialog')).toContainText('To allow it');
    await talker.page.getByRole('button', { name: 'Close' }).last().click();
    await expect(slider(talker, name)).toHaveAttribute('aria-valuetext', 'everybody, no limit');
    await expect(slider(talker, name)).toHaveAttribute('aria-disabled', 'true');
  }

  await talker.say(400);
  await hears(listener, 1);
  await listener.say(400);
  await talker.until(({ air }) => air.filter(({ own }) => !own)[0]?.state === 'played');
  expect((await listener.state()).air[0]?.grade).toBeUndefined();

  // The rest of the radio is all there: who is here, other channels, what is stored, a lost link.
  await talker.until(({ tuned }) => tuned['19']?.participants.length === 2);
  await talker.page.keyboard.press('ArrowRight');
  await talker.until(({ channel, tuned }) => channel === '20' && '20' in tuned);
  await talker.page.keyboard.press('ArrowLeft');
  await talker.page.getByRole('button', { name: 'Settings' }).click();
  await expect(talker.page.getByLabel('Handle')).toHaveValue('Roadrunner');
  await talker.page.keyboard.press('Escape');
  await server.down();
  await talker.until(({ link }) => link.state === 'coming_back');
  await server.up();
  await talker.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
  await listener.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
  expect(await readings(talker)).toBe(1);

  // Nor at later visits.
  for (let visit = 0; visit < 2; visit += 1) {
    await talker.page.reload();
    await talker.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
    await talker.say(400);
    expect(await readings(talker)).toBe(0);
  }
  expect(asked.frames.filter((frame) => /locate|place|"range"/.test(frame))).toEqual([]);
  expect(asked.scripts.filter((url) => url.includes('h3-js'))).toEqual([]);
  await talker.close();
  await listener.close();
});

test('a permission that is revoked in mid-session ends it at once, and is told', async () => {
  const [one, asked] = await allowed('Roadrunner', HOME);
  await share(one);
  await set(one, 'Transmit range', ['Home'], 'you reach 10 km, you hear everybody');

  await one.page.context().clearPermissions();
  await one.until(({ location }) => 'lost' in location && location.lost === 'revoked');
  await expect(one.page.getByRole('alert')).toContainText('no longer shared');
  // Nobody reaches further because of that: the choice is shown, and stays the person's.
  await expect(slider(one, 'Transmit range')).toHaveAttribute('aria-valuetext', /^10 km/);
  // Others see no country any more, so the server knows of no cell.
  await one.until(({ tuned }) => tuned['19']?.participants[0]?.country === undefined);
  expect(asked.frames.at(-1)).toBe('{"type":"locate","cell":null}');

  // Coming back does not bring it back.
  await server.down();
  await server.up();
  await one.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
  expect(asked.frames.filter((frame) => frame.includes('hello')).at(-1)).not.toContain('place');
  expect(await readings(one)).toBe(1);
  await one.close();
});

test('handles are moved by mouse and by touch, and are large enough for a finger', async () => {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  const [one] = await station('Roadrunner', { ...phone, ...at(HOME) });
  await share(one);
  const { page } = one;
  const spot = async (lane: 'tx' | 'rx', place: number) => {
    const rail = await page.locator(`.${lane} .rail`).boundingBox();
    if (!rail) throw new Error('the rail is not to be seen');
    return [rail.x + (rail.width * place) / 7, rail.y] as const;
  };
  await page.mouse.move(...(await spot('tx', 7)));
  await page.mouse.down();
  for (const place of [6, 4, 2.3]) await page.mouse.move(...(await spot('tx', place)));
  await page.mouse.up();
  await one.until(({ ranges }) => ranges.tx === '50km' && ranges.rx === 'unlimited');
  await page.touchscreen.tap(...(await spot('rx', 1.1)));
  await one.until(({ ranges }) => ranges.tx === '50km' && ranges.rx === '25km');
  await expect(page.getByRole('status').last()).toHaveText('you reach 50 km, you hear 25 km');
  for (const lane of await page.locator('.lane').all()) {
    expect((await lane.boundingBox())?.height).toBeGreaterThanOrEqual(44);
  }
  const stop = page.getByRole('button', { name: 'Stop sharing your location' });
  const box = await stop.boundingBox();
  expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
  await one.close();
});

test('one tap takes it back', async () => {
  const [one, asked] = await allowed('Roadrunner', HOME);
  await share(one);
  await one.page.getByRole('button', { name: 'Stop sharing your location' }).click();
  await one.until(({ location, tuned }) => {
    const [me] = tuned['19']?.participants ?? [];
    return location.state === 'not_shared' && me?.country === undefined;
  });
  expect(asked.frames.at(-1)).toBe('{"type":"locate","cell":null}');
  await one.page.reload();
  await one.until(({ link }) => link.state === 'on_the_air');
  expect(await readings(one)).toBe(0);
  await one.close();
});

test('a location is repeated on each connection, read again by a later visit, and kept nowhere', async () => {
  const [one, asked] = await allowed('Roadrunner', HOME);
  expect(asked.scripts.filter((url) => url.includes('h3-js'))).toEqual([]);
  await share(one);
  expect(asked.scripts.filter((url) => url.includes('h3-js'))).toHaveLength(1);
  await set(one, 'Transmit range', ['Home', 'ArrowRight'], 'you reach 25 km, you hear everybody');
  const hellos = () =>
    asked.frames.map((frame) => JSON.parse(frame)).filter(({ type }) => type === 'hello');

  // The device moves; the page goes on saying where it was.
  await one.page.context().setGeolocation(FAR);
  await server.down();
  await one.until(({ link }) => link.state === 'coming_back');
  await server.up();
  await one.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
  const cell = latLngToCell(HOME.latitude, HOME.longitude, 6);
  expect(hellos().at(-1)).toMatchObject({
    place: { cell, stamp: expect.any(String) },
    range: { tx: '25km', rx: 'unlimited' },
  });
  expect(await readings(one)).toBe(1);

  await one.page.context().setGeolocation(HOME);
  await one.page.reload();
  await one.until(({ location }) => location.state === 'shared' && location.country === 'RS');
  expect((await one.state()).ranges).toEqual({ tx: '25km', rx: 'unlimited' });
  await expect(one.page.getByRole('dialog')).toHaveCount(0);

  // The pattern finds what it looks for.
  expect(asked.frames.join('\n')).toMatch(CELL);
  expect(JSON.stringify(HOME)).toMatch(COORDINATE);
  for (const place of [await kept(one.page), JSON.stringify(await one.state())]) {
    expect(place).toContain('19');
    expect(place).not.toMatch(CELL);
    expect(place).not.toMatch(COORDINATE);
  }
  expect(await one.page.content()).not.toMatch(CELL);
  expect(asked.frames.join('\n')).not.toMatch(COORDINATE);
  await one.close();
});
