import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  LaunchOptions,
} from '@playwright/test';
import { chromium } from '@playwright/test';

/** So many browsers wait for the next test that wants them. To start one takes longer than to open a page. */
const KEPT = 4;

interface Running {
  browser: Promise<Browser>;
  /** How many tests hold it. */
  holders: number;
}

/** By what they were started with; the one that was used last is last. */
const running = new Map<string, Running>();

/**
 * A Chromium started with `options`, which may have been used before. What is opened in it has a profile of its own,
 * and closing it closes that alone.
 */
export async function sharedChromium(options: LaunchOptions): Promise<Browser> {
  const key = JSON.stringify(options);
  let one = running.get(key);
  if (!one || !(await one.browser).isConnected()) {
    one = { browser: chromium.launch(options), holders: 0 };
  }
  running.delete(key);
  running.set(key, one);
  one.holders += 1;
  const browser = await one.browser;
  return hold(browser, () => release(one));
}

/** A browser that closes no more than what was opened in it. */
function hold(browser: Browser, released: () => Promise<void>): Browser {
  const opened: BrowserContext[] = [];
  let held = true;
  const newContext = async (options?: BrowserContextOptions) => {
    const context = await browser.newContext(options);
    opened.push(context);
    return context;
  };
  const newPage = async (options?: BrowserContextOptions) => (await newContext(options)).newPage();
  const close = async () => {
    await Promise.all(opened.splice(0).map((context) => context.close()));
    if (held) await released();
    held = false;
  };
  return Object.assign(Object.create(browser), { newContext, newPage, close });
}

/** Ends those that nobody holds, the longest unused first, until few are left. */
async function release(one: Running): Promise<void> {
  one.holders -= 1;
  for (const [key, { browser, holders }] of running) {
    if (running.size <= KEPT) return;
    if (holders > 0) continue;
    running.delete(key);
    await (await browser).close();
  }
}
