import type { Browser, BrowserContext, BrowserContextOptions, Page } from '@playwright/test';
import { expect } from '@playwright/test';
import type { Measurements } from '../src/radio/measure';
import type { RadioState } from '../src/radio/model';

declare global {
  interface Window {
    __tenfour?: Measurements;
  }
}

/** One person at one browser. What is done here is done as a person does it: keys and fields. */
export class Station {
  private constructor(
    readonly browser: Browser,
    readonly page: Page,
    readonly errors: string[],
  ) {}

  /** Opens the page on `channel` in a browser of its own. */
  static async open(
    browser: Browser,
    url: string,
    channel = '19',
    options: BrowserContextOptions = {},
    /** Done with the page before it is loaded. */
    prepare: (page: Page) => Promise<void> = async () => {},
  ): Promise<Station> {
    const page = await browser.newPage(options);
    await prepare(page);
    return Station.at(browser, page, `${url}/c/${channel}?measure`);
  }

  /** Opens the page on channel 19 in a browser that keeps its profile. Whoever opened that closes it. */
  static async visit(context: BrowserContext, url: string): Promise<Station> {
    const browser = context.browser();
    if (!browser) throw new Error('a context without a browser');
    return Station.at(browser, await context.newPage(), `${url}/c/19?measure`);
  }

  private static async at(browser: Browser, page: Page, address: string): Promise<Station> {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      // What a browser says about a policy or a script is a fault; a lost connection is not.
      if (/Content.Security.Policy|Refused to/i.test(message.text())) errors.push(message.text());
    });
    await page.goto(address);
    return new Station(browser, page, errors);
  }

  /** The first visit: a handle. */
  async fillIn(handle: string): Promise<void> {
    await this.page.locator('form input').first().fill(handle);
    await this.page.keyboard.press('Enter');
  }

  /** The first visit, until it is on the air. */
  async register(handle: string): Promise<void> {
    await this.fillIn(handle);
    await this.until(({ link, channel, tuned }) => link.state === 'on_the_air' && channel in tuned);
  }

  press(): Promise<void> {
    return this.page.keyboard.down('Space');
  }

  release(): Promise<void> {
    return this.page.keyboard.up('Space');
  }

  state(): Promise<RadioState> {
    return this.page.evaluate(() => (window.__tenfour as Measurements).radio.state);
  }

  /** Waits until the state is as `wanted`, which runs in the page and sees `argument`. */
  async until<T>(wanted: (state: RadioState, argument: T) => boolean, argument?: T): Promise<void> {
    const state = await this.page.waitForFunction(() => window.__tenfour?.radio);
    await state.dispose();
    const handle = await this.page.evaluateHandle(
      `new Promise((done) => {
        const wanted = ${wanted};
        const argument = ${JSON.stringify(argument ?? null)};
        const stop = window.__tenfour.radio.subscribe((state) => {
          if (wanted(state, argument)) setTimeout(() => (stop(), done(true)));
        });
      })`,
    );
    await handle.dispose();
  }

  /** Everything that went to the loudspeaker so far. */
  async heard(): Promise<Float32Array> {
    const base64 = await this.page.evaluate(() => {
      const pieces = (window.__tenfour as Measurements).pcm;
      const all = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
      }
      const bytes = new Uint8Array(all.buffer);
      let text = '';
      for (let i = 0; i < bytes.length; i += 32_768) {
        text += String.fromCharCode(...bytes.subarray(i, i + 32_768));
      }
      return btoa(text);
    });
    const bytes = Buffer.from(base64, 'base64');
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  }

  async measured(): Promise<Pick<Measurements, 'presses' | 'sent' | 'heard'>> {
    return this.page.evaluate(() => {
      const { presses, sent, heard } = window.__tenfour as Measurements;
      return { presses, sent, heard };
    });
  }

  /** Holds the button until `ms` of voice have been sent, then lets go and waits for the receipt. */
  async say(ms: number): Promise<void> {
    const before = (await this.state()).air.filter(({ own }) => own).length;
    await this.press();
    await this.until(
      ({ air }, [length, count]) => (air.filter(({ own }) => own)[count]?.length ?? 0) >= length,
      [ms, before] as [number, number],
    );
    await this.release();
    await this.until(
      ({ air }, count) => air.filter(({ own }) => own)[count]?.state === 'sent',
      before,
    );
  }

  async close(): Promise<void> {
    await this.browser.close();
    expect(this.errors).toEqual([]);
  }
}
