/** The policy as a visitor meets it: from the first visit, on a phone, by keyboard, in both themes. */

import { expect, test } from '@playwright/test';
import { chromiumSilent } from './launch';
import { Server } from './server';

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5 };

let server: Server;

test.beforeEach(async () => {
  server = await Server.start({ TENFOUR_HOLD: '5s', TENFOUR_OPERATOR: 'Radio Club Koper' });
});
test.afterEach(() => server.end());

for (const colorScheme of ['dark', 'light'] as const) {
  test(`the policy is found before registering and fits a phone, ${colorScheme}`, async () => {
    const browser = await chromiumSilent();
    const page = await browser.newPage({ ...PHONE, colorScheme });
    const faults: string[] = [];
    page.on('console', (message) => {
      // What this browser does not offer is denied to no avail, and to no harm.
      if (!/Unrecognized feature/.test(message.text())) faults.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url)) faults.push(request.url());
    });
    await page.goto(server.url);
    await page.getByRole('link', { name: /how we prove it/ }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Privacy at Tenfour');
    await expect(page.getByRole('heading', { level: 3 })).toHaveCount(18);
    await expect(page.locator('#C14 .promise')).toContainText('5 seconds after it came');
    await expect(page.getByText('This server is run by Radio Club Koper.')).toBeVisible();
    await page.screenshot({ path: test.info().outputPath(`top-${colorScheme}.png`) });

    const proof = page.locator('#C14 summary');
    await proof.focus();
    await page.keyboard.press('Enter');
    await expect(page.locator('#C14 details')).toHaveAttribute('open', '');
    await expect(page.locator('#C14 details li').first()).toBeVisible();
    await page
      .locator('#C14')
      .screenshot({ path: test.info().outputPath(`C14-${colorScheme}.png`) });
    for (const details of await page.locator('summary').all()) {
      if ((await details.locator('..').getAttribute('open')) === null) await details.click();
    }
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow, 'nothing is wider than the phone').toBe(0);
    await page.screenshot({
      path: test.info().outputPath(`all-${colorScheme}.png`),
      fullPage: true,
    });

    await page.getByRole('link', { name: 'To the radio' }).click();
    await expect(page.getByRole('heading', { name: 'Choose a handle' })).toBeVisible();
    expect(faults).toEqual([]);
    await browser.close();
  });
}
