import type { Browser } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { Cli } from './cli';
import { find } from './compare';
import { chromiumRefusing, chromiumWith, chromiumWithout } from './launch';
import { Server } from './server';
import type { Speech } from './speech';
import { speak } from './speech';
import { Station } from './station';

let speech: Speech;
let server: Server;

test.beforeAll(() => {
  speech = speak('The server goes away and comes back, and nobody has to load the page again.');
});
test.afterEach(() => server.end());

async function station(handle: string, browser?: Browser): Promise<Station> {
  const one = await Station.open(browser ?? (await chromiumWith(speech.file)), server.url);
  await one.register(handle);
  return one;
}

test('killing the server in the middle of a burst: both come back without a reload', async () => {
  server = await Server.start();
  const [talker, listener] = await Promise.all([station('Roadrunner'), station('Night Owl')]);
  const marks = await Promise.all([talker, listener].map(({ page }) => mark(page)));

  await talker.press();
  await listener.until(({ air }) => (air[0]?.length ?? 0) >= 1_000);
  await server.down();
  for (const one of [talker, listener]) {
    await one.until(({ link }) => link.state === 'coming_back');
  }
  // The talker is told that this burst is lost, the listener hears what came.
  await talker.until(
    ({ air, button }) => air[0]?.state === 'refused' && button.state === 'refused',
  );
  await talker.release();
  await talker.until(({ button }) => button.state === 'no_link');
  // A press waits for the link for a moment, and is not sent when it does not come.
  await talker.press();
  await talker.until(({ button }) => button.state === 'waiting');
  await talker.until(({ button }) => button.state === 'no_link');
  await talker.release();

  await server.up();
  for (const one of [talker, listener]) {
    await one.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
  }
  await listener.until(({ air }) => air[0]?.state === 'played');
  await listener.until(({ tuned }) => tuned['19']?.count === 2);
  const before = (await listener.heard()).length;
  // The microphone was warm, so the wav is anywhere in its turn: two turns hold one whole.
  await talker.say(2 * speech.seconds * 1_000);
  await listener.until(({ air }) => air.length === 2 && air[1]?.state === 'played');
  const heard = (await listener.heard()).subarray(before);
  expect(find(speech.voice, heard).correlation).toBeGreaterThanOrEqual(0.9);

  const after = await Promise.all([talker, listener].map(({ page }) => mark(page)));
  expect(after).toEqual(marks);
  await talker.close();
  await listener.close();
});

test('a server that stops in peace tells when it is back', async () => {
  server = await Server.start();
  const listener = await station('Night Owl');
  await server.down('SIGTERM');
  await listener.until(({ link }) => link.state === 'coming_back' && link.why === 'going_away');
  await server.up();
  await listener.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
  await listener.close();
});

test('a microphone that is refused, or not there, is told and nothing is sent', async () => {
  server = await Server.start();
  for (const [launch, why] of [
    [chromiumRefusing, 'refused'],
    [chromiumWithout, 'missing'],
  ] as const) {
    const one = await station('Quiet', await launch());
    await one.press();
    await one.until(({ microphone }, wanted) => microphone === wanted, why);
    const state = await one.state();
    expect(state.button).toEqual({ state: 'no_microphone', why });
    expect(state.air).toEqual([]);
    await one.release();
    await one.close();
  }
});

test('a full channel is told, and another one can be taken', async () => {
  server = await Server.start({ TENFOUR_CHANNEL_PARTICIPANTS: '2' });
  const first = await station('Roadrunner');
  const listener = Cli.run('listen', server.url, 'Pi', []);
  await first.until(({ tuned }) => tuned['19']?.count === 2);
  const second = await Station.open(await chromiumWith(speech.file), server.url);
  await second.fillIn('Night Owl');
  await second.until(({ notice }) => notice?.code === 'channel_full');
  await expect(second.page.getByText('channel is full').first()).toBeVisible();
  await second.page.evaluate(() => window.__tenfour?.radio.select('20'));
  await second.until(({ tuned, notice }) => '20' in tuned && notice === null);
  expect(new URL(second.page.url()).pathname).toBe('/c/20');
  await listener.stop();
  await first.close();
  await second.close();
});

test('a page that is loaded again is the same person', async () => {
  server = await Server.start();
  const one = await station('Roadrunner');
  const { me } = await one.state();
  await one.page.reload();
  await one.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
  expect((await one.state()).me).toEqual(me);
  // Without its cookie it logs in with the key of the device.
  await one.page.context().clearCookies();
  await one.page.reload();
  await one.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
  expect((await one.state()).me?.user).toBe(me?.user);
  await one.close();
});

test('a log-out ends it until the person comes back', async () => {
  server = await Server.start();
  const one = await station('Roadrunner');
  await one.page.evaluate(() => window.__tenfour?.radio.logOut());
  await one.until(({ link }) => link.state === 'gone' && link.refusal.code === 'logged_out');
  expect(await one.page.context().cookies()).toEqual([]);
  await one.page.evaluate(() => window.__tenfour?.radio.retry());
  await one.until(({ link }) => link.state === 'on_the_air');
  await one.close();
});

/** Something that a reload of the page would wipe out. */
function mark(page: Station['page']): Promise<number> {
  return page.evaluate(() => performance.timeOrigin);
}
