/** Nobody but the server is asked for anything, and the page takes no code from anywhere else. */

import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { Closed } from './closed';
import { chromiumSilent, chromiumWith, chromiumWithin } from './launch';
import { share } from './location';
import { Server } from './server';
import { speak } from './speech';
import { Station } from './station';

let closed: Closed | null = null;
let server: Server;

test.afterEach(async () => {
  await server.end();
  await closed?.end();
  closed = null;
});

const speech = () => speak('Is anybody else in here? One, two, three, four, five.');

/** Where a page sent requests and opened sockets to. */
function asked(page: Page): string[] {
  const urls: string[] = [];
  page.on('request', (request) => urls.push(request.url()));
  page.on('websocket', (socket) => urls.push(socket.url()));
  return urls;
}

/** All that one does on a visit: talks, hears, looks through the settings, comes back. */
async function visit(one: Station, other: Station): Promise<void> {
  await one.say(600);
  await other.until(({ air }) => air[0]?.state === 'played');
  await other.say(600);
  await one.until(({ air }) => air[1]?.state === 'played');
  await share(one);
  await one.page.getByRole('button', { name: 'Settings' }).click();
  await expect(one.page.getByLabel('Handle')).toBeVisible();
  await one.page.keyboard.press('Escape');
  await one.page.reload();
  await one.until(({ link, tuned }) => link.state === 'on_the_air' && '19' in tuned);
}

test('server and browser send no packet elsewhere in a whole visit, and look up no name', async () => {
  const network = await Closed.make();
  closed = network;
  server = await Server.start({}, network.prefix);
  const { file } = speech();
  const launch = () => chromiumWithin((program) => network.wrap(program), file);
  const place = { latitude: 44.8, longitude: 20.46 };
  const options = { geolocation: place, permissions: ['geolocation', 'microphone'] };
  const one = await Station.open(await launch(), server.url, '19', options);
  const other = await Station.open(await launch(), server.url);
  await one.register('Roadrunner');
  await other.register('Night Owl');
  await visit(one, other);
  await other.close();
  console.log(`packets that would have left: ${network.left()}`);
  expect(network.left()).toBe(0);

  // The watch sees what leaves: a page at an address, and one with a name.
  const page = await one.browser.newPage();
  await page.goto('http://192.0.2.1/', { timeout: 2_000 }).catch(() => {});
  const left = network.left();
  expect(left).toBeGreaterThan(0);
  await page.goto('http://tenfour.example/', { timeout: 2_000 }).catch(() => {});
  expect(network.left()).toBeGreaterThan(left);
  await one.close();
});

test('every request of the page goes to its own server', async () => {
  server = await Server.start();
  const { file } = speech();
  const lists: string[][] = [];
  const open = async (options = {}) =>
    Station.open(await chromiumWith(file), server.url, '19', options, async (page) => {
      lists.push(asked(page));
    });
  const place = { latitude: 44.8, longitude: 20.46 };
  const one = await open({ geolocation: place, permissions: ['geolocation', 'microphone'] });
  const other = await open();
  await one.register('Roadrunner');
  await other.register('Night Owl');
  await visit(one, other);
  const host = new URL(server.url).host;
  for (const list of lists) {
    expect(list.length).toBeGreaterThan(8);
    expect(list.filter((url) => new URL(url).host !== host)).toEqual([]);
    expect(list.filter((url) => !/^(http|ws):/.test(url))).toEqual([]);
  }
  await one.close();
  await other.close();
});

test('text becomes neither markup nor code, and nothing of another server is taken', async () => {
  server = await Server.start();
  const browser = await chromiumSilent();
  const page = await browser.newPage();
  await page.goto(server.url);
  await expect(page.getByRole('heading', { name: 'Choose a handle' })).toBeVisible();
  const outcomes = await page.evaluate(async () => {
    const tries: Record<string, () => unknown> = {
      markup: () => {
        document.body.innerHTML = '<img src=x onerror="window.injected = 1">';
      },
      'markup at a place': () => document.body.insertAdjacentHTML('beforeend', '<b>x</b>'),
      'a page': () => document.write('<script>1</script>'),
      'a script': () => {
        document.createElement('script').src = '/assets/x.js';
      },
      'a worker': () => new Worker('/assets/x.js'),
      // What a test says itself may be code; what runs later is the page's.
      code: () =>
        new Promise((taken, refused) => {
          setTimeout(() => {
            try {
              taken(Function('return 1')());
            } catch (error) {
              refused(error);
            }
          });
        }),
      'a policy': () => {
        type Factory = { createPolicy(name: string, rules: object): unknown };
        const { trustedTypes } = window as unknown as { trustedTypes: Factory };
        return trustedTypes.createPolicy('anything', { createHTML: (text: string) => text });
      },
      'the policy of Svelte, again': () => {
        type Factory = { createPolicy(name: string, rules: object): unknown };
        const { trustedTypes } = window as unknown as { trustedTypes: Factory };
        return trustedTypes.createPolicy('svelte-trusted-html', {});
      },
      'a request': () => fetch('http://192.0.2.1/'),
      'a socket': () =>
        new Promise((opened, failed) => {
          document.addEventListener('securitypolicyviolation', failed, { once: true });
          new WebSocket('ws://192.0.2.1/').onopen = opened;
        }),
      'a picture': () =>
        new Promise((loaded, failed) => {
          const image = new Image();
          image.onload = loaded;
          image.onerror = failed;
          image.src = 'http://192.0.2.1/x.png';
        }),
    };
    const happened: Record<string, string> = {};
    for (const [what, run] of Object.entries(tries)) {
      try {
        await run();
        happened[what] = 'taken';
      } catch {
        happened[what] = 'refused';
      }
    }
    return { happened, injected: 'injected' in window };
  });
  expect(outcomes.injected).toBe(false);
  expect(new Set(Object.values(outcomes.happened)), JSON.stringify(outcomes.happened)).toEqual(
    new Set(['refused']),
  );
  await browser.close();
});

test('of all that browsers offer, scripts have what the radio needs', async () => {
  server = await Server.start();
  const browser = await chromiumSilent();
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  const answer = await page.goto(server.url);
  const header = answer?.headers()['permissions-policy'] ?? '';
  const named = header.split(', ').map((one) => one.split('=')[0] ?? '');
  const allowed = await page.evaluate(() => {
    type Policy = { allowedFeatures(): string[] };
    return (document as unknown as { featurePolicy: Policy }).featurePolicy.allowedFeatures();
  });
  const needed = [
    'autoplay',
    'ch-ua-high-entropy-values',
    'clipboard-write',
    'cross-origin-isolated',
    'geolocation',
    'microphone',
    'screen-wake-lock',
  ];
  expect(allowed.filter((feature) => named.includes(feature)).sort()).toEqual(needed);
  // What this browser has and the header does not name: hints in requests, which go to our server.
  const unnamed = allowed.filter((feature) => !named.includes(feature));
  console.log(
    'not named in the header:',
    unnamed.filter((one) => !one.startsWith('ch-')).join(' '),
  );
  expect(complaints).toEqual([]);
  await browser.close();
});
