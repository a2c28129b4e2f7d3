/** A range that was chosen holds, whatever becomes of the place: nobody beyond it hears a frame. */

import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { latLngToCell } from 'h3-js';
import { chromiumWith } from './launch';
import { agree, at, FAR, HOME, NEAR, set, share, slider } from './location';
import { Server } from './server';
import type { Speech } from './speech';
import { speak } from './speech';
import { Station } from './station';

/** First cells that a key may say in an hour: protocol `FIRST_CELLS_PER_HOUR`. */
const FIRST_CELLS = 12;

let speech: Speech;
let server: Server;

test.beforeAll(() => {
  speech = speak('Nobody far away should hear this. One, two, three, four, five.');
});
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.end());

/** Text and voice that a page has sent or received. */
class Wire {
  readonly sent: { type: string; [field: string]: unknown }[] = [];
  readonly got: { type: string; [field: string]: unknown }[] = [];
  frames = 0;

  watch(page: Page): void {
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => {
        if (typeof payload === 'string') this.sent.push(JSON.parse(payload));
      });
      socket.on('framereceived', ({ payload }) => {
        if (typeof payload === 'string') this.got.push(JSON.parse(payload));
        else this.frames += 1;
      });
    });
  }

  refusals(): unknown[] {
    return this.got.filter(({ type }) => type === 'error').map(({ code }) => code);
  }
}

/** A device that finds its place when the test says so. */
class Fix {
  #waiting: (() => void)[] = [];
  held = false;

  async install(page: Page): Promise<void> {
    await page.exposeFunction('fix', () =>
      this.held ? new Promise<void>((go) => this.#waiting.push(go)) : undefined,
    );
    await page.addInitScript(() => {
      const { geolocation } = navigator;
      const read = geolocation.getCurrentPosition.bind(geolocation);
      const { fix } = window as unknown as { fix(): Promise<void> };
      geolocation.getCurrentPosition = (...its) => void fix().then(() => read(...its));
    });
  }

  comes(): void {
    this.held = false;
    for (const go of this.#waiting.splice(0)) go();
  }
}

async function station(
  handle: string,
  where: typeof HOME,
  prepare: (page: Page) => Promise<void> = async () => {},
): Promise<[Station, Wire]> {
  const wire = new Wire();
  const browser = await chromiumWith(speech.file);
  const one = await Station.open(browser, server.url, '19', at(where), async (page) => {
    wire.watch(page);
    await prepare(page);
  });
  await one.register(handle);
  return [one, wire];
}

/** Holds the button until the press has been refused, and lets go. */
async function refused(one: Station): Promise<void> {
  await one.press();
  await one.until(({ button }) => button.state === 'refused' || button.state === 'no_link');
  await one.release();
}

/** On the air again after a reload or a drop, with `state` of the location. */
const back = (one: Station, state: string) =>
  one.until(
    ({ link, tuned, location }, wanted) =>
      link.state === 'on_the_air' && '19' in tuned && location.state === wanted,
    state,
  );

const inForce = (one: Station) =>
  one.until(({ location }) => location.state === 'shared' && location.country === 'RS');

/** Waits until a listener has heard so many bursts to their end. */
const heard = (one: Station, count: number) =>
  one.until(
    ({ air }, wanted) => air.length === wanted && air.every(({ ended }) => ended !== undefined),
    count,
  );

const count = async (one: Station) => (await one.state()).air.length;
const sent = async (one: Station) =>
  (await one.state()).air.filter(({ own, state }) => own && state === 'sent').length;

/** The server is gone, and everybody knows. */
async function down(...stations: Station[]): Promise<void> {
  await server.down();
  for (const one of stations) await one.until(({ link }) => link.state === 'coming_back');
}

const tunedIn = (one: Station) =>
  one.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);

/** Uses up the first cells of the key of this page, as other programs with its session could. */
function useUp({ page }: Station): Promise<void> {
  const cell = latLngToCell(HOME.latitude, HOME.longitude, 6);
  return page.evaluate(
    async ([cell, times]) => {
      for (let time = 0; time < times; time += 1) {
        const address = `${location.origin.replace('http', 'ws')}/api/v1/radio`;
        await new Promise<void>((done) => {
          const socket = new WebSocket(address, 'tenfour.v1');
          socket.onopen = () =>
            socket.send(JSON.stringify({ type: 'hello', client: 'other 1', place: { cell } }));
          socket.onmessage = ({ data }) => {
            if (!/"located"|"error"/.test(data)) return;
            socket.onclose = () => done();
            socket.close();
          };
        });
      }
    },
    [cell, FIRST_CELLS] as const,
  );
}

test('with 10 km chosen nobody beyond hears a frame, whatever becomes of the place', async () => {
  test.setTimeout(180_000);
  const fix = new Fix();
  const [[talker, wire], [near], [far, beyond]] = await Promise.all([
    station('Roadrunner', HOME, (page) => fix.install(page)),
    station('Night Owl', NEAR),
    station('Blue Jay', FAR),
  ]);
  await share(near);
  await share(far);
  await slider(talker, 'Transmit range').focus();
  await talker.page.keyboard.press('Home');
  await agree(talker);
  await set(talker, 'Receive range', ['End'], 'you reach 10 km, you hear everybody');
  await talker.say(400);
  await heard(near, 1);

  await test.step('the place is slow', async () => {
    fix.held = true;
    await talker.page.reload();
    await back(talker, 'asking');
    await talker.press();
    await talker.until(({ button }) => button.state === 'waiting');
    await expect(talker.page.getByRole('button', { name: 'Wait for your location' })).toBeVisible();
    await talker.until(({ button }) => button.state === 'refused');
    await talker.release();
    await expect(talker.page.locator('.caption')).toContainText('Your range needs your location.');
    fix.comes();
    await inForce(talker);
    await talker.say(400);
    await heard(near, 2);
  });

  await test.step('a press waits for a place that comes in time, and loses nothing', async () => {
    fix.held = true;
    await talker.page.reload();
    await back(talker, 'asking');
    await talker.press();
    await talker.until(({ button }) => button.state === 'waiting');
    fix.comes();
    await talker.until(({ button }) => button.state === 'talking' && button.granted);
    await talker.release();
    await heard(near, 3);
  });

  await test.step('the link comes back', async () => {
    await down(talker, near, far);
    await refused(talker);
    await server.up();
    for (const one of [near, far]) await tunedIn(one);
    const [before, said] = [await count(near), await sent(talker)];
    // Cell and range may be there within the 2 s of a press, or not; it goes no further either way.
    await talker.press();
    await talker.until(
      ({ button }) =>
        button.state === 'refused' ||
        button.state === 'no_link' ||
        (button.state === 'talking' && button.granted),
    );
    await talker.release();
    await talker.until(({ air, button }) => {
      const open = air.some(({ own, state }) => own && state === 'talking');
      return !open && button.state !== 'talking' && button.state !== 'waiting';
    });
    const now = before + (await sent(talker)) - said;
    await heard(near, now);
    await tunedIn(talker);
    await inForce(talker);
    await talker.say(400);
    await heard(near, now + 1);
  });

  await test.step('the key has used up its cells, and the server refuses', async () => {
    await useUp(talker);
    await talker.page.reload();
    await talker.until(
      ({ location }) => location.state === 'shared' && location.lost === 'too_many_moves',
    );
    expect(wire.refusals()).toContain('too_many_moves');
    for (let press = 0; press < 3; press += 1) await refused(talker);
    await expect(talker.page.getByRole('alert')).toContainText('changed too often');
    await expect(slider(talker, 'Transmit range')).toHaveAttribute('aria-valuetext', /^10 km/);
    // A server that starts anew has counted nothing.
    await down(talker, near, far);
    await server.up();
    for (const one of [near, far, talker]) await tunedIn(one);
    await inForce(talker);
    const before = await count(near);
    await talker.say(400);
    await heard(near, before + 1);
  });

  await test.step('the browser takes its permission back', async () => {
    await talker.page.context().clearPermissions();
    await talker.until(({ location }) => 'lost' in location && location.lost === 'revoked');
    await refused(talker);
    await talker.page.context().grantPermissions(['microphone']);
    await talker.page.reload();
    await talker.until(({ link }) => link.state === 'on_the_air');
    await expect(slider(talker, 'Transmit range')).toHaveAttribute('aria-valuetext', /^10 km/);
    await refused(talker);
  });

  // Nothing of all that: not a frame, nor that somebody talks.
  expect(beyond.frames).toBe(0);
  expect((await far.state()).air).toEqual([]);
  // And this one would have been heard there.
  const before = await count(near);
  await talker.page.getByRole('button', { name: 'Reach and hear everybody' }).click();
  await talker.say(400);
  await heard(far, 1);
  await heard(near, before + 1);
  expect(beyond.frames).toBeGreaterThan(10);
  for (const one of [talker, near, far]) await one.close();
});

test('a person who stops sharing keeps the range they chose, until they choose another', async () => {
  const [[talker], [far, beyond]] = await Promise.all([
    station('Roadrunner', HOME),
    station('Blue Jay', FAR),
  ]);
  await share(talker);
  await set(talker, 'Transmit range', ['Home'], 'you reach 10 km, you hear everybody');
  await talker.page.getByRole('button', { name: 'Stop sharing your location' }).click();
  await talker.until(({ location }) => location.state === 'not_shared');
  const range = talker.page.getByRole('region', { name: 'Range' });
  await expect(range).toContainText('To talk within 10 km, share your location.');
  await refused(talker);
  await talker.page.reload();
  await talker.until(({ link }) => link.state === 'on_the_air');
  await refused(talker);
  expect(beyond.frames).toBe(0);
  await slider(talker, 'Transmit range').focus();
  await talker.page.keyboard.press('End');
  await talker.say(400);
  await heard(far, 1);
  for (const one of [talker, far]) await one.close();
});

test('who declines to share talks to everybody', async () => {
  const browser = await chromiumWith(speech.file);
  const options = { permissions: ['microphone'] };
  const talker = await Station.open(browser, server.url, '19', options);
  await talker.register('Roadrunner');
  const [far, beyond] = await station('Blue Jay', FAR);
  await slider(talker, 'Transmit range').focus();
  await talker.page.keyboard.press('Home');
  await talker.page.getByRole('button', { name: 'Share my cell' }).click();
  await talker.until(({ location }) => location.state === 'denied');
  await expect(slider(talker, 'Transmit range')).toHaveAttribute(
    'aria-valuetext',
    'everybody, no limit',
  );
  await talker.say(400);
  await heard(far, 1);
  await talker.page.reload();
  await talker.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
  await talker.say(400);
  await heard(far, 2);
  expect(beyond.frames).toBeGreaterThan(20);
  for (const one of [talker, far]) await one.close();
});

test('loading the page again costs no first cell, however often', async () => {
  test.setTimeout(120_000);
  const [[talker, wire], [near]] = await Promise.all([
    station('Roadrunner', HOME),
    station('Night Owl', NEAR),
  ]);
  await share(near);
  await share(talker);
  await set(talker, 'Transmit range', ['Home'], 'you reach 10 km, you hear everybody');
  for (let load = 0; load < FIRST_CELLS + 3; load += 1) {
    await talker.page.reload();
    await inForce(talker);
  }
  expect(wire.refusals()).toEqual([]);
  const shown = wire.sent.map(({ type, stamp, place }) =>
    type === 'locate' ? stamp : (place as { stamp?: string } | undefined)?.stamp,
  );
  expect(new Set(shown.filter((stamp) => stamp !== undefined)).size).toBe(FIRST_CELLS + 3);
  await talker.say(400);
  await heard(near, 1);
  for (const one of [talker, near]) await one.close();
});
