import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { Cli } from './cli';
import { find } from './compare';
import { chromiumWith } from './launch';
import { Server } from './server';
import type { Speech } from './speech';
import { readWav, speak } from './speech';
import { Station } from './station';

let speech: Speech;
let server: Server;
let page: Station;

test.beforeAll(() => {
  speech = speak('From the browser to the command line, and back again, over and out.');
});
test.beforeEach(async () => {
  server = await Server.start();
  page = await Station.open(await chromiumWith(speech.file), server.url);
  await page.register('Roadrunner');
});
test.afterEach(async () => {
  await page.close();
  await server.end();
});

test('speech from the command line is heard whole at the page', async () => {
  const talk = Cli.run('talk', server.url, 'Pi', [speech.file]);
  await page.until(({ air }) => air.length === 1 && air[0]?.state === 'played');
  expect(await talk.ended(), talk.said).toBe(0);

  const found = find(speech.voice, await page.heard());
  console.log('command line to page:', found);
  expect(found.correlation).toBeGreaterThanOrEqual(0.9);
  expect(found.first).toBeGreaterThan(0.5);
  expect(found.last).toBeGreaterThan(0.5);
  expect((await page.state()).air[0]).toMatchObject({ gaps: 0, ended: 'released' });
});

test('speech from the page is heard whole at the command line', async () => {
  const out = mkdtempSync(join(tmpdir(), 'tenfour-heard-'));
  const listen = Cli.run('listen', server.url, 'Pi', ['--bursts', '1', '--out', out, '--json']);
  await page.until(({ tuned }) => tuned['19']?.count === 2);
  await page.say(speech.seconds * 1_000);
  expect(await listen.ended(), listen.said).toBe(0);

  const [file] = readdirSync(out).filter((name) => name.endsWith('.wav'));
  const found = find(speech.voice, readWav(join(out, file ?? '')));
  console.log('page to command line:', found);
  expect(found.correlation).toBeGreaterThanOrEqual(0.9);
  expect(found.first).toBeGreaterThan(0.5);
  expect(found.last).toBeGreaterThan(0.5);
});
