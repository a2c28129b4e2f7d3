import { afterEach, describe, expect, test, vi } from 'vitest';
import { BrowserDevice } from './device';

const VERSION = 'tenfour-web 0.1.0';

function device(navigator: object): BrowserDevice {
  vi.stubGlobal('navigator', navigator);
  return new BrowserDevice(VERSION);
}

afterEach(() => vi.unstubAllGlobals());

describe('the device', () => {
  test('has a model once the browser has told it, and is known before', async () => {
    const asked: string[][] = [];
    const phone = device({
      userAgentData: {
        platform: 'Android',
        getHighEntropyValues: async (hints: string[]) => {
          asked.push(hints);
          return { model: 'Pixel 8', platform: 'Android', brands: [] };
        },
      },
    });
    expect(phone.known()).toEqual({ platform: 'Android', version: VERSION });
    await vi.waitFor(() => expect(phone.known()).toHaveProperty('model', 'Pixel 8'));
    expect(phone.known()).toEqual({ platform: 'Android', model: 'Pixel 8', version: VERSION });
    expect(asked).toEqual([['model']]);
  });

  test.each([
    ['gives no model', async () => ({ model: '' })],
    ['refuses', () => Promise.reject(new DOMException('no', 'NotAllowedError'))],
  ])('has no model when the browser %s', async (_, getHighEntropyValues) => {
    const desktop = device({ userAgentData: { platform: 'Linux', getHighEntropyValues } });
    await new Promise((settled) => setTimeout(settled));
    expect(desktop.known()).toEqual({ platform: 'Linux', version: VERSION });
  });

  test.each([
    ['Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', 0, 'Android'],
    ['Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36', 5, 'Android'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15', 5, 'iOS'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari', 5, 'iOS'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari', 0, 'macOS'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Firefox/140.0', 0, 'Windows'],
    ['Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36', 0, 'Chrome OS'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 0, 'Linux'],
  ])('is as coarse as a platform without hints: %s', (userAgent, maxTouchPoints, platform) => {
    expect(device({ userAgent, maxTouchPoints }).known()).toEqual({ platform, version: VERSION });
  });

  test('is its version alone when nothing is known', () => {
    expect(device({ userAgent: 'x' }).known()).toEqual({ version: VERSION });
    expect(device({}).known()).toEqual({ version: VERSION });
  });
});
