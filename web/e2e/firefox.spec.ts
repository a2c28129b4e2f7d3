import { expect, test } from '@playwright/test';
import { find } from './compare';
import { chromiumWith, firefoxWith } from './launch';
import { Pulse } from './pulse';
import { Server } from './server';
import { speak } from './speech';
import { Station } from './station';

let server: Server;
let pulse: Pulse;

test.beforeEach(async () => {
  server = await Server.start();
  pulse = await Pulse.start();
});
test.afterEach(async () => {
  await pulse.end();
  await server.end();
});

test('Firefox logs in, presses, is heard and hears', async () => {
  const speech = speak('This is Firefox on channel nineteen, who hears me?');
  const answer = speak('Loud and clear, here is Chromium, have a good journey.', 'en-us+f3');
  const fox = await Station.open(await firefoxWith(pulse.environment), server.url);
  await fox.register('Fox');
  const other = await Station.open(await chromiumWith(answer.file), server.url);
  await other.register('Chrome');

  await fox.press();
  await fox.until(({ air }) => (air[0]?.length ?? 0) >= 200);
  await pulse.say(speech.file);
  await fox.release();
  await fox.until(({ air }) => air[0]?.state === 'sent');
  await other.until(({ air }) => air[0]?.state === 'played');
  const there = find(speech.voice, await other.heard());
  console.log('Firefox to Chromium:', there);

  await other.say(answer.seconds * 1_000);
  await fox.until(({ air }) => air[1]?.state === 'played');
  const back = find(answer.voice, await fox.heard());
  console.log('Chromium to Firefox:', back);
  for (const found of [there, back]) {
    expect(found.correlation).toBeGreaterThanOrEqual(0.9);
    expect(found.first).toBeGreaterThan(0.5);
    expect(found.last).toBeGreaterThan(0.5);
  }
  expect((await other.state()).air[0]).toMatchObject({ gaps: 0, ended: 'released' });
  expect((await fox.state()).air[1]).toMatchObject({ gaps: 0, ended: 'released' });

  const { presses } = await fox.measured();
  console.log(`Firefox, first press with a cold microphone: ${presses[0]?.toFixed(0)} ms`);
  await fox.close();
  await other.close();
});
