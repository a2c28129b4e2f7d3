/** A key that goes from one browser to another, and to the command line and back, in a file. */

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { Cli } from './cli';
import { chromiumSilent } from './launch';
import { Server } from './server';
import { Station } from './station';

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  colorScheme: 'dark',
};
const PASSPHRASE = 'five by five';

let server: Server;
let folder: string;

test.beforeEach(async () => {
  server = await Server.start();
  folder = mkdtempSync(join(tmpdir(), 'tenfour-key-'));
});
test.afterEach(() => server.end());

async function station(url = server.url): Promise<Station> {
  return Station.open(await chromiumSilent(), url, '19', PHONE);
}

/** Downloads the key of a page, and returns the name and the path of the file. */
async function takeAlong({ page }: Station): Promise<{ name: string; path: string }> {
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel('Passphrase').fill(PASSPHRASE);
  await page.getByLabel('The same once more').fill(PASSPHRASE);
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Take your key along' }).click();
  const download = await coming;
  const path = join(folder, 'page.key.json');
  await download.saveAs(path);
  await expect(page.getByText('Whoever has it and the passphrase is you')).toBeVisible();
  await page.screenshot({ path: test.info().outputPath('export-phone.png') });
  await page.keyboard.press('Escape');
  return { name: download.suggestedFilename(), path };
}

async function bring({ page }: Station, path: string, passphrase = PASSPHRASE): Promise<void> {
  await page.getByLabel('Key file').setInputFiles(path);
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Use this key' }).click();
}

const onTheAir = (one: Station) => one.until(({ link }) => link.state === 'on_the_air');

test('a key that was taken along is the same person in another browser', async () => {
  const one = await station();
  await one.register('Roadrunner');
  const { name, path } = await takeAlong(one);
  expect(name).toBe('tenfour-Roadrunner.key.json');
  const me = (await one.state()).me;
  expect(readFileSync(path, 'utf8')).toContain(me?.user);

  const other = await station();
  await other.page.getByRole('button', { name: 'I have a key file' }).click();
  await expect(other.page.getByLabel('Key file')).toBeFocused();
  await bring(other, path, 'five by six');
  await expect(other.page.getByLabel('Passphrase')).toHaveAttribute('aria-invalid', 'true');
  await expect(other.page.getByLabel('Passphrase')).toBeFocused();
  await expect(other.page.getByRole('alert')).toContainText('does not fit');
  await other.page.screenshot({ path: test.info().outputPath('import-phone.png') });
  await bring(other, path);
  await onTheAir(other);
  expect((await other.state()).me).toEqual(me);
  // It stays, and can be taken along from there.
  await other.page.context().clearCookies();
  await other.page.reload();
  await onTheAir(other);
  expect((await other.state()).me).toEqual(me);
  expect((await takeAlong(other)).name).toBe(name);
  expect((await one.state()).link.state).toBe('on_the_air');
  await one.close();
  await other.close();
});

test('at a server that does not know the key it gets a handle there', async () => {
  const one = await station();
  await one.register('Roadrunner');
  const { path } = await takeAlong(one);
  const before = (await one.state()).me;
  const elsewhere = await Server.start();
  const other = await station(elsewhere.url);
  await other.page.getByRole('button', { name: 'I have a key file' }).click();
  writeFileSync(join(folder, 'notes.json'), '{"buy":"milk"}');
  await bring(other, join(folder, 'notes.json'));
  await expect(other.page.getByRole('alert')).toContainText('no Tenfour key file');
  await bring(other, path);
  await expect(other.page.getByText('choose a handle for it')).toBeVisible();
  await other.register('Coyote');
  expect((await other.state()).me).toEqual({ ...before, handle: 'Coyote' });
  await one.close();
  await other.close();
  await elsewhere.end();
});

test('a key that was made before keys could be taken along stays, and the page says so', async () => {
  const one = await station();
  // As the page of an earlier version made it.
  await one.page.evaluate(async () => {
    const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    await new Promise((done, failed) => {
      const opening = indexedDB.open('tenfour', 1);
      opening.onsuccess = () => {
        const writing = opening.result.transaction('keys', 'readwrite');
        writing.objectStore('keys').put(pair, 'device');
        writing.oncomplete = done;
        writing.onerror = failed;
      };
    });
  });
  await one.page.reload();
  await one.register('Roadrunner');
  await one.page.getByRole('button', { name: 'Settings' }).click();
  await one.page.getByLabel('Passphrase').fill(PASSPHRASE);
  await one.page.getByLabel('The same once more').fill(PASSPHRASE);
  await one.page.getByRole('button', { name: 'Take your key along' }).click();
  await expect(one.page.getByRole('alert')).toContainText('does not give your key out');
  await one.close();
});

test('a key goes from the page to the command line, and from there to the page', async () => {
  const one = await station();
  await one.register('Roadrunner');
  const me = (await one.state()).me;
  const { path } = await takeAlong(one);
  const [key, back] = [join(folder, 'device.key'), join(folder, 'cli.key.json')];
  const imported = Cli.key(['import', path, '--key', key], PASSPHRASE);
  expect(await imported.ended(), imported.said).toBe(0);
  expect(imported.said).toContain(me?.user);
  const exported = Cli.key(['export', back, '--key', key], 'another passphrase');
  expect(await exported.ended(), exported.said).toBe(0);

  const other = await station();
  await other.page.getByRole('button', { name: 'I have a key file' }).click();
  await bring(other, back, 'another passphrase');
  await onTheAir(other);
  expect((await other.state()).me).toEqual(me);
  await one.close();
  await other.close();
});
