/** Proxies that do half of what a radio needs: the page says what is wrong, and goes on as soon as it is mended. */

import { expect, test } from '@playwright/test';
import { later } from '../src/text/later';
import { chromiumSilent } from './launch';
import { ReverseProxy } from './proxy';
import { Server } from './server';
import { Station } from './station';

let proxy: ReverseProxy;
let server: Server;

async function behind(made: Promise<ReverseProxy>): Promise<void> {
  proxy = await made;
  server = await Server.start({ TENFOUR_ORIGINS: proxy.origin });
  proxy.target = server.url;
}

test.afterEach(async () => {
  await server.end();
  await proxy.end();
});

test('a proxy that passes no WebSocket is named as the likely cause, and the page keeps trying', async () => {
  await behind(ReverseProxy.start({ upgrades: false }));
  const one = await Station.open(await chromiumSilent(), proxy.origin);
  await one.fillIn('Roadrunner');
  const { message, hint } = later.trouble.barred;
  const alert = one.page.getByRole('alert').filter({ hasText: message });
  await expect(alert).toContainText(hint);
  await expect(one.page.getByRole('banner')).toContainText('coming back');
  await expect(one.page.locator('.caption')).toHaveCount(0);
  proxy.upgrades = true;
  await one.until(({ link }) => link.state === 'on_the_air');
  await expect(alert).toBeHidden();
  await one.close();
});

for (const scripts of [true, false]) {
  test(`below a folder the page is not blank but says what to do, ${scripts ? 'with' : 'without'} scripts`, async () => {
    await behind(ReverseProxy.start({ folder: '/radio' }));
    const browser = await chromiumSilent();
    const page = await browser.newPage({ javaScriptEnabled: scripts });
    await page.goto(`${proxy.origin}/radio/`);
    // At once: nobody waits before an empty page.
    await expect(page.getByRole('heading', { name: 'Tenfour could not be loaded' })).toBeVisible();
    await expect(page.locator('#app')).toContainText('Tenfour cannot be served below one');
    await browser.close();
  });
}

test('where all comes as it should those words are never seen', async () => {
  await behind(ReverseProxy.start());
  const browser = await chromiumSilent();
  const page = await browser.newPage();
  const html = await (await page.request.get(proxy.origin)).text();
  expect(html).toContain('Tenfour could not be loaded');
  await page.route('**/assets/*.js', (route) => seen.then(() => route.continue()));
  let go = () => {};
  const seen = new Promise<void>((done) => {
    go = done;
  });
  await page.goto(proxy.origin, { waitUntil: 'commit' });
  const words = page.locator('.unloaded');
  await words.waitFor({ state: 'attached' });
  await expect(words).toBeHidden();
  go();
  await expect(page.getByLabel('Handle')).toBeVisible();
  await expect(words).toHaveCount(0);
  await browser.close();
});
