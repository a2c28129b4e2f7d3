/** What browsers lack and what breaks in them: each ends in true words and a way on, never in a page that waits. */

import type { Browser, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { en } from '../src/text/en';
import { faults } from '../src/text/en.refusals';
import { later } from '../src/text/later';
import { chromiumSilent, chromiumWith, firefoxWithout } from './launch';
import { ReverseProxy } from './proxy';
import { Server } from './server';
import type { Speech } from './speech';
import { speak } from './speech';
import { Station } from './station';

let server: Server;
let proxy: ReverseProxy | null = null;
let speech: Speech;

test.beforeAll(() => {
  speech = speak('Does anybody hear this?');
});
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(async () => {
  await server.end();
  await proxy?.end();
  proxy = null;
});

const trouble = later.trouble;
const told = (page: Page, words: { message: string }) =>
  page.getByRole('alert').filter({ hasText: words.message });

/** Somebody who is heard when all goes well. */
async function talker(): Promise<Station> {
  const one = await Station.open(await chromiumWith(speech.file), server.url);
  await one.register('Roadrunner');
  return one;
}

/** Puts code at the end of a script of the page. */
const add = (code: string) => (text: string) => `${text}\n${code}`;
/** No script at all. */
const unread = () => ')(';
/** Has a worklet throw in its next block. */
const inBlock = (text: string) =>
  text.replace(/process\([\w,]+\)\{/, (head) => `${head}throw new Error("spoilt");`);

/** Somebody whose page gets another script in the place of one of its own: worklets pass by Playwright. */
async function spoiled(
  browser: Browser,
  handle: string,
  script: string,
  change: (text: string) => string,
): Promise<Station> {
  proxy = await ReverseProxy.start();
  await server.end();
  server = await Server.start({ TENFOUR_ORIGINS: proxy.origin });
  proxy.target = server.url;
  proxy.spoilt = { script, change };
  const one = await Station.open(browser, proxy.origin);
  await one.register(handle);
  return one;
}

test('Firefox without WebCodecs says before the first press what works, and keeps no row on the air', async () => {
  const fox = await Station.open(await firefoxWithout('dom.media.webcodecs.enabled'), server.url);
  await expect(told(fox.page, trouble.no_voice)).toContainText(trouble.no_voice.hint);
  await fox.register('Fox');
  await expect(told(fox.page, trouble.no_voice)).toBeVisible();
  const other = await talker();
  await other.say(1_500);
  await other.say(500);
  await fox.until(({ air }) => air.length === 2 && air.every(({ state }) => state === 'played'));
  await fox.press();
  await expect(fox.page.locator('.caption')).toHaveText(faults.unsupported);
  await fox.release();
  await expect(fox.page.locator('body')).not.toContainText(en.talk.listening);
  await other.close();
  await fox.close();
});

test('who only lacks the encoder is told so at load, and hears', async () => {
  const one = await Station.open(await chromiumSilent(), server.url, '19', {}, async (page) => {
    await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'AudioEncoder'));
  });
  await expect(told(one.page, trouble.no_encoder)).toBeVisible();
  await one.register('Listener');
  await one.press();
  await expect(one.page.locator('.caption')).toContainText(en.talk.listening);
  await one.release();
  const other = await talker();
  await other.say(500);
  await one.until(({ air }) => air[0]?.state === 'played' && air[0].levels.length > 0);
  await other.close();
  await one.close();
});

for (const [what, script, change] of [
  ['the decoding worker does not load', 'decode.worker', unread],
  [
    'the decoding worker throws at a message',
    'decode.worker',
    add('self.onmessage = () => { throw new Error("spoilt"); };'),
  ],
  ['no decoder can be made', 'decode.worker', add('delete self.AudioDecoder;')],
  [
    'a decoder breaks before it gets a packet',
    'decode.worker',
    add(`self.AudioDecoder = class {
      state = 'configured';
      constructor({ error }) { setTimeout(error); }
      configure() {}
      decode() {}
      flush() { return new Promise(() => {}); }
      close() {}
    };`),
  ],
  [
    'a promise in the worker is broken',
    'decode.worker',
    add('Promise.reject(new Error("spoilt"));'),
  ],
  ['the playout worklet does not load', 'playout.worklet', unread],
  ['the playout worklet throws in a block', 'playout.worklet', inBlock],
] as const) {
  test(`${what}: told with a button, and no row stays on the air`, async () => {
    const one = await spoiled(await chromiumSilent(), 'Listener', script, change);
    const other = await talker();
    await other.say(500);
    await expect(told(one.page, trouble.sound)).toContainText(trouble.sound.hint);
    await other.say(500);
    await one.until(({ air }) => air.length === 2 && air.every(({ state }) => state === 'played'));
    if (proxy) proxy.spoilt = null;
    const began = await one.page.evaluate(() => performance.timeOrigin);
    await one.page.getByRole('button', { name: en.notices.reload }).click();
    await one.page.waitForFunction((before) => performance.timeOrigin !== before, began);
    await one.until(({ link, trouble }) => link.state === 'on_the_air' && trouble === null);
    await other.say(500);
    await one.until(({ air }) => air[0]?.state === 'played' && air[0].levels.length > 0);
    await other.close();
    await one.browser.close();
  });
}

for (const [what, change] of [
  ['does not load', unread],
  ['throws in a block', inBlock],
] as const) {
  test(`a capture worklet that ${what} is told at the button, and the next press works`, async () => {
    const browser = await chromiumWith(speech.file);
    const one = await spoiled(browser, 'Roadrunner', 'capture.worklet', change);
    await one.press();
    await one.until(({ button }) => button.state === 'no_microphone' && button.why === 'broken');
    await expect(one.page.locator('.caption')).toContainText(faults.broken);
    await one.release();
    if (proxy) proxy.spoilt = null;
    await one.say(500);
    await one.browser.close();
  });
}

for (const how of ['rejects', 'hangs'] as const) {
  test(`after a call whose resume ${how} the page tells of it, goes on, and talks again without a reload`, async () => {
    const one = await Station.open(
      await chromiumWith(speech.file),
      server.url,
      '19',
      {},
      async (page) => {
        await page.addInitScript((how) => {
          // As Safari has it: a context in a state of its own, whose `resume` throws or never answers.
          const { prototype } = AudioContext;
          const state = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, 'state');
          const resume = prototype.resume;
          const calls = { on: false };
          Object.assign(window, { calls });
          Object.defineProperty(prototype, 'state', {
            get() {
              return calls.on ? 'interrupted' : state?.get?.call(this);
            },
          });
          prototype.resume = function () {
            if (!calls.on) return resume.call(this);
            return how === 'hangs'
              ? new Promise(() => {})
              : Promise.reject(new DOMException('a call', 'InvalidStateError'));
          };
        }, how);
      },
    );
    const call = (on: boolean) =>
      one.page.evaluate((on) => {
        Object.assign((window as unknown as { calls: object }).calls, { on });
      }, on);
    await one.register('Roadrunner');
    await one.say(300);
    await call(true);
    await one.press();
    await one.until(
      ({ button }) => button.state === 'no_microphone' && button.why === 'interrupted',
    );
    await one.release();
    await expect(one.page.locator('button.talk')).toContainText('in use elsewhere');
    await expect(one.page.locator('.caption')).toContainText('Press again when it is over.');
    // Whatever happens meanwhile is drawn.
    await one.page.getByRole('button', { name: 'Higher channel' }).click();
    await one.until(({ channel, tuned }) => channel === '20' && '20' in tuned);
    await expect(one.page.locator('.display')).toContainText('1 tuned in');
    await call(false);
    await one.say(300);
    await expect(one.page.locator('button.talk')).toContainText('Hold to talk');
    expect((await one.state()).trouble).toBeNull();
    await one.close();
  });
}

test('what is thrown where nobody foresaw it ends in words, and the radio works on', async () => {
  const one = await Station.open(await chromiumWith(speech.file), server.url);
  await one.register('Roadrunner');
  await one.page.evaluate(() => {
    let broken = true;
    window.__tenfour?.radio.subscribe(({ button }) => {
      if (broken && button.state === 'talking') {
        broken = false;
        throw new TypeError('nobody foresaw this');
      }
    });
  });
  await one.say(500);
  await expect(told(one.page, trouble.page)).toContainText(en.notices.reload);
  await one.say(500);
  await one.browser.close();
});

test('a server that never answers is told of, with a button, and not for ever', async () => {
  const one = await Station.open(await chromiumSilent(), server.url);
  await one.register('Roadrunner');
  let answer = () => {};
  const silence = new Promise<void>((done) => {
    answer = done;
  });
  const { page } = one;
  await page.route('**/api/v1/me', async (route) => {
    await silence;
    await route.continue();
  });
  await page.reload();
  await expect(page.getByText(en.link.slow)).toBeVisible({ timeout: 15_000 });
  await expect(page.getByRole('button', { name: en.notices.reload })).toBeVisible();
  // After ten seconds the link is tried without an answer.
  await one.until(({ link }) => link.state === 'on_the_air');
  await expect(page.getByText(en.link.slow)).toBeHidden();
  answer();
  await one.browser.close();
});

test('at the first visit a screen reader is asked for a handle, and not told of connecting for ever', async () => {
  const one = await Station.open(await chromiumSilent(), server.url);
  await expect(one.page.getByLabel('Handle')).toBeVisible();
  await expect(one.page.locator('.unseen[role=status]')).toHaveText(en.link.heard.unregistered);
  await one.close();
});
