/** Many come in from one network: the page waits its turn and works, by itself. */

import { createHash } from 'node:crypto';
import { expect, test } from '@playwright/test';
import type { Nonce } from '../src/gen/Nonce';
import type { Register } from '../src/gen/Register';
import { chromiumSilent } from './launch';
import { Server } from './server';
import { Station } from './station';

let server: Server;

test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.end());

/** Less than the server asks for, so that a busy machine is done soon. */
const BITS = 18;

test('a newcomer who has to wait and to work comes in without doing anything', async () => {
  const one = await Station.open(await chromiumSilent(), server.url);
  const { page } = one;
  let asked = 0;
  let nonce: Nonce | undefined;
  // Loopback is told neither, so the answers of a crowded network are given here.
  await page.route('**/api/v1/nonce', async (route) => {
    asked += 1;
    if (asked === 1) {
      const words = { title: 'Too many requests.', detail: 'Wait a moment.' };
      const json = { ...words, status: 429, code: 'too_many_requests', retry_after_ms: 1_500 };
      await route.fulfill({ status: 429, contentType: 'application/problem+json', json });
      return;
    }
    const response = await route.fetch();
    nonce = { ...((await response.json()) as Nonce), work: BITS };
    await route.fulfill({ response, json: nonce });
  });
  const registering = page.waitForRequest('**/api/v1/register');
  await one.fillIn('Roadrunner');
  await expect(page.getByText('You have a place in the line')).toBeVisible();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await page.screenshot({ path: test.info().outputPath('queued.png') });
  const { work, proof } = (await registering).postDataJSON() as Register;
  expect(proof.nonce).toBe(nonce?.nonce);
  const user = createHash('sha256').update(Buffer.from(proof.key, 'base64url')).digest();
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(work ?? -1));
  const hash = createHash('sha256')
    .update('tenfour-work-v1')
    .update(Buffer.from(proof.nonce, 'base64url'))
    .update(user.subarray(0, 20))
    .update(number)
    .digest();
  expect(hash.readUInt32BE() >>> (32 - BITS)).toBe(0);
  await one.until(({ link, queued }) => link.state === 'on_the_air' && queued === null);
  expect(one.errors).toEqual([]);
  expect(asked).toBe(2);
});
