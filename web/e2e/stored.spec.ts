/** Neither voice nor place is kept on the device: not in what the page could find again, not in the profile. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { latLngToCell } from 'h3-js';
import { chromiumKeeping, chromiumWith } from './launch';
import { at, HOME, set, share } from './location';
import { asInt16, filesWith, Pieces, search } from './profile';
import { Server } from './server';
import { speak } from './speech';
import { Station } from './station';

/** Bytes of a voice frame before its Opus packet. */
const HEADER = 12;

let server: Server;
let profile: string;

test.beforeEach(async () => {
  server = await Server.start();
  profile = mkdtempSync(join(tmpdir(), 'tenfour-profile-'));
});
test.afterEach(async () => {
  await server.end();
  rmSync(profile, { recursive: true });
});

/** Collects the Opus packets that a page sends and receives. */
function packets(page: Page): { up: Buffer[]; down: Buffer[] } {
  const voice = { up: [] as Buffer[], down: [] as Buffer[] };
  page.on('websocket', (socket) => {
    const take = (into: Buffer[]) => (frame: { payload: string | Buffer }) => {
      if (typeof frame.payload !== 'string') into.push(frame.payload.subarray(HEADER));
    };
    socket.on('framesent', take(voice.up));
    socket.on('framereceived', take(voice.down));
  });
  return voice;
}

/** All that a page can find again at its next visit, by name. */
function kept(page: Page): Promise<Record<string, unknown>> {
  return page.evaluate(async () => {
    const databases: Record<string, unknown> = {};
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((done, failed) => {
        const opening = indexedDB.open(name);
        opening.onsuccess = () => done(opening.result);
        opening.onerror = () => failed(opening.error);
      });
      for (const store of database.objectStoreNames) {
        const rows = database.transaction(store).objectStore(store);
        const [keys, values] = [rows.getAllKeys(), rows.getAll()];
        await new Promise((done) => {
          values.onsuccess = done;
        });
        const kinds = values.result.map((value: Record<string, unknown>) =>
          Object.entries(value)
            .map(([field, inner]) => `${field}: ${inner?.constructor.name}`)
            .sort(),
        );
        databases[`${name}/${store}`] = { keys: keys.result, kinds };
      }
      database.close();
    }
    const root = await navigator.storage.getDirectory();
    const files: string[] = [];
    for await (const file of (root as unknown as { keys(): AsyncIterable<string> }).keys()) {
      files.push(file);
    }
    return {
      databases,
      files,
      caches: await caches.keys(),
      workers: (await navigator.serviceWorker.getRegistrations()).length,
      local: Object.keys(localStorage).sort(),
      session: Object.keys(sessionStorage),
      cookies: document.cookie,
      history: history.state,
    };
  });
}

/** In `localStorage`: what the person likes, and the channels used lately. */
const LOCAL = ['tenfour.preferences', 'tenfour.recent'];

/** The device key, and no more. The cookie of the session is not for scripts. */
const ALLOWED = {
  databases: {
    'tenfour/keys': {
      keys: ['device'],
      kinds: [['privateKey: CryptoKey', 'publicKey: CryptoKey']],
    },
  },
  files: [],
  caches: [],
  workers: 0,
  local: LOCAL,
  session: [],
  cookies: '',
  history: null,
};

/** Another channel and back, and a preference: what is kept of a visit is there to be seen. */
async function choose(one: Station): Promise<void> {
  const { page } = one;
  await page.keyboard.press('ArrowRight');
  await one.until(({ channel, tuned }) => channel === '20' && '20' in tuned);
  await page.keyboard.press('ArrowLeft');
  await one.until(({ channel, tuned }) => channel === '19' && '19' in tuned);
  await page.getByRole('button', { name: 'Settings' }).click();
  for (const on of ['true', 'false']) {
    const economy = page.getByRole('switch', { name: 'Low data' });
    await economy.click();
    await expect(economy).toHaveAttribute('aria-checked', on);
  }
  await page.keyboard.press('Escape');
  // The focus is back on the button of the settings, which the space bar would work.
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
}

test('after bursts that were sent and heard, neither page nor profile keeps any voice', async () => {
  test.setTimeout(120_000);
  const mine = speak('What I said is gone when it was heard. One, two, three, four, five.');
  const theirs = speak('And what you heard is gone as well. Six, seven, eight, nine.', 'en-us+f3');
  const open = async (): Promise<[BrowserContext, Station]> => {
    const context = await chromiumKeeping(profile, mine.file);
    return [context, await Station.visit(context, server.url)];
  };
  const other = await Station.open(await chromiumWith(theirs.file), server.url);
  await other.register('Night Owl');

  const [context, one] = await open();
  const voice = packets(one.page);
  await one.page.reload();
  await one.register('Roadrunner');
  await choose(one);
  await one.say(2_000);
  await other.until(({ air }) => air[0]?.state === 'played');
  await other.say(2_000);
  await one.until(({ air }) => air[1]?.state === 'played');
  // Heard again from memory, while it is there.
  const heard = await one.heard();
  expect(voice.up.length).toBeGreaterThan(60);
  expect(voice.down.length).toBeGreaterThan(60);

  const pieces = new Pieces();
  for (const packet of [...voice.up, ...voice.down]) pieces.add(packet, packet.length);
  for (const samples of [heard, mine.whole, theirs.whole]) {
    pieces.add(Buffer.from(samples.buffer), 4_096);
    pieces.add(asInt16(samples), 4_096);
  }
  expect(pieces.count).toBeGreaterThan(300);

  expect(await kept(one.page)).toEqual(ALLOWED);
  expect(search(profile, pieces).hits).toEqual([]);
  await one.page.reload();
  await one.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
  expect((await one.state()).air).toEqual([]);
  expect(await kept(one.page)).toEqual(ALLOWED);
  await context.close();
  const closed = search(profile, pieces);
  expect(closed.hits).toEqual([]);
  expect(closed.bytes).toBeGreaterThan(1_000_000);
  console.log(`${closed.bytes} bytes of the profile searched for ${pieces.count} pieces of voice`);

  // The key and the session are there at the next visit, the voice is not.
  const [again, later] = await open();
  await later.until(({ link, me }) => link.state === 'on_the_air' && me?.handle === 'Roadrunner');
  expect(await kept(later.page)).toEqual(ALLOWED);

  // A page that kept the last packet would be found, in either place.
  const packet = [...(voice.down.at(-5) ?? [])];
  await later.page.evaluate(async (bytes) => {
    const opening = indexedDB.open('burst', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('packets');
    await new Promise((done) => {
      opening.onsuccess = done;
    });
    const writing = opening.result.transaction('packets', 'readwrite', { durability: 'strict' });
    writing.objectStore('packets').put(new Uint8Array(bytes), 'last');
    await new Promise((done) => {
      writing.oncomplete = done;
    });
    opening.result.close();
  }, packet);
  expect(Object.keys((await kept(later.page)).databases as object)).toContain('burst/packets');
  await again.close();
  expect(search(profile, pieces).hits.join()).toContain('IndexedDB');
  expect([...one.errors, ...later.errors]).toEqual([]);
  await other.close();
});

test('of a place that was shared the tab keeps the stamp, and neither page nor profile the cell', async () => {
  test.setTimeout(120_000);
  const speech = speak('Where I am is not for the disk. One, two, three.');
  const cell = latLngToCell(HOME.latitude, HOME.longitude, 6);
  const index = Buffer.from(cell.padStart(16, '0'), 'hex');
  // As text, as it would lie in a string of two bytes a letter, and as a number.
  const forms = [
    Buffer.from(cell),
    Buffer.from(cell, 'utf16le'),
    index,
    Buffer.from(index).reverse(),
    Buffer.from(BigInt(`0x${cell}`).toString()),
  ];
  const context = await chromiumKeeping(profile, speech.file, at(HOME));
  const one = await Station.visit(context, server.url);
  const asked: string[] = [];
  one.page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => asked.push(String(payload))),
  );
  await one.register('Roadrunner');
  await share(one);
  await set(one, 'Transmit range', ['Home'], 'you reach 10 km, you hear everybody');
  for (let load = 0; load < 2; load += 1) {
    await one.page.reload();
    await one.until(({ location }) => location.state === 'shared' && location.country === 'RS');
  }
  // It was there to be kept.
  expect(asked.join()).toContain(cell);
  expect(await kept(one.page)).toMatchObject({ session: ['tenfour.place'], files: [], caches: [] });
  const stored = await one.page.evaluate(() => sessionStorage.getItem('tenfour.place'));
  const { stamp, ...more } = JSON.parse(stored ?? '{}');
  // A serial number of eight bytes and sixteen bytes of a keyed hash, and nothing beside it.
  expect(Buffer.from(stamp, 'base64url')).toHaveLength(24);
  expect(more).toEqual({});
  expect(filesWith(profile, forms).hits).toEqual([]);
  await context.close();
  const { bytes, hits } = filesWith(profile, forms);
  expect(hits).toEqual([]);
  console.log(`${bytes} bytes of the profile searched for ${forms.length} forms of a cell`);

  // A page that kept the cell where the stamp lies would be found.
  const again = await chromiumKeeping(profile, speech.file, at(HOME));
  const later = await Station.visit(again, server.url);
  await later.page.evaluate((cell) => sessionStorage.setItem('tenfour.place', cell), cell);
  await again.close();
  expect(filesWith(profile, forms).hits.join()).toContain('Session Storage');
  expect([...one.errors, ...later.errors]).toEqual([]);
});
