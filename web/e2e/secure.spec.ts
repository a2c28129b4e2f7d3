import { expect, test } from '@playwright/test';
import { find } from './compare';
import type { Version } from './launch';
import { chromiumWith, firefoxWith } from './launch';
import { Pulse } from './pulse';
import { Server } from './server';
import { speak } from './speech';
import { Station } from './station';

let server: Server;
let pulse: Pulse;

test.beforeEach(async () => {
  server = await Server.start({ TENFOUR_TLS: 'self-signed' });
  pulse = await Pulse.start();
});
test.afterEach(async () => {
  await pulse.end();
  await server.end();
});

/** Nobody has signed for the certificate: a person would be asked once. */
const TRUSTING = { ignoreHTTPSErrors: true };

for (const version of ['1.2', '1.3'] as const satisfies Version[]) {
  test(`Chromium and Firefox talk to each other over TLS ${version}`, async () => {
    const question = speak('Is this line as safe as they say?');
    const answer = speak('It is sealed from end to end of the wire.', 'en-us+f3');
    const chrome = await Station.open(
      await chromiumWith(question.file, version),
      server.url,
      '19',
      TRUSTING,
    );
    await chrome.register('Chrome');
    const response = await chrome.page.reload();
    expect(await response?.securityDetails()).toMatchObject({ protocol: `TLS ${version}` });
    await chrome.until(({ link }) => link.state === 'on_the_air');
    const fox = await Station.open(
      await firefoxWith(pulse.environment, version),
      server.url,
      '19',
      TRUSTING,
    );
    await fox.register('Fox');

    await chrome.say(question.seconds * 1_000);
    await fox.until(({ air }) => air[0]?.state === 'played');
    await fox.press();
    await fox.until(({ air }) => (air[1]?.length ?? 0) >= 200);
    await pulse.say(answer.file);
    await fox.release();
    await chrome.until(({ air }) => air[1]?.state === 'played');

    const there = find(question.voice, await fox.heard());
    const back = find(answer.voice, await chrome.heard());
    console.log(`TLS ${version}, Chromium to Firefox:`, there, 'and back:', back);
    for (const found of [there, back]) {
      expect(found.correlation).toBeGreaterThanOrEqual(0.9);
      expect(found.first).toBeGreaterThan(0.5);
      expect(found.last).toBeGreaterThan(0.5);
    }
    expect((await fox.state()).air[0]).toMatchObject({ gaps: 0, ended: 'released' });
    expect((await chrome.state()).air[1]).toMatchObject({ gaps: 0, ended: 'released' });
    await chrome.close();
    await fox.close();
  });
}
