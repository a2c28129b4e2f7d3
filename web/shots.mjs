import { chromium } from '@playwright/test';

const b = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
for (const [n, vp] of [
  ['phone', { width: 390, height: 844 }],
  ['desk', { width: 1440, height: 900 }],
]) {
  const p = await b.newPage({
    viewport: vp,
    colorScheme: 'dark',
    deviceScaleFactor: n === 'phone' ? 2 : 1,
  });
  for (const s of process.argv.slice(2)) {
    await p.goto(`http://127.0.0.1:5199/src/ui/testing/gallery.html?scene=${s}`);
    await p.waitForTimeout(600);
    await p.screenshot({ path: `/tmp/place-${s}-${n}.png` });
  }
}
await b.close();
