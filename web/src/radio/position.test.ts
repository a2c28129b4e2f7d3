import { getResolution } from 'h3-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Permission } from './position';
import { BrowserPosition } from './position';

type Ask = (
  found: (position: { coords: { latitude: number; longitude: number } }) => void,
  failed: (error: { code: number }) => void,
  options: PositionOptions,
) => void;

let status: { state: Permission; onchange?: () => void };
let asked: PositionOptions[];
let ask: Ask;
let told: Permission[];
let position: BrowserPosition;

const at = (latitude: number, longitude: number): Ask => {
  return (found) => found({ coords: { latitude, longitude } });
};
const fail = (code: number): Ask => {
  return (_, failed) => failed({ code });
};

beforeEach(() => {
  status = { state: 'prompt' };
  [asked, told] = [[], []];
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('navigator', {
    geolocation: {
      getCurrentPosition: (...[found, failed, options]: Parameters<Ask>) => {
        asked.push(options);
        ask(found, failed, options);
      },
    },
    permissions: { query: async () => status },
  });
  position = new BrowserPosition((permission) => told.push(permission));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the position of the browser', () => {
  test('is a cell of resolution 6 and nothing finer, and was not asked for in full', async () => {
    ask = at(44.8, 20.46);
    const reading = await position.read();
    expect(reading).toEqual({ cell: '861e1b28fffffff' });
    expect(getResolution('861e1b28fffffff')).toBe(6);
    expect(asked).toMatchObject([{ enableHighAccuracy: false }]);
  });

  test('is one of 15 small hexadecimal digits all over the world', async () => {
    for (const lat of [-90, -37.5, 0, 58.157706, 90]) {
      for (const lon of [-180, -0.1, 0, 10.320089, 180]) {
        ask = at(lat, lon);
        const reading = await position.read();
        expect('cell' in reading && reading.cell).toMatch(/^86[0-9a-f]{13}$/);
      }
    }
  });

  test('that a person refuses for good, for now, or that is not found', async () => {
    ask = fail(1);
    expect(await position.read()).toEqual({ fault: 'dismissed' });
    status.state = 'denied';
    expect(await position.read()).toEqual({ fault: 'denied' });
    for (const code of [2, 3]) {
      ask = fail(code);
      expect(await position.read()).toEqual({ fault: 'unavailable' });
    }
  });

  test('is not asked for where a browser gives none', async () => {
    vi.stubGlobal('isSecureContext', false);
    expect(await position.read()).toEqual({ fault: 'unsupported' });
    expect(asked).toEqual([]);
  });

  test('tells when the permission changes', async () => {
    expect(await position.permission()).toBe('prompt');
    status.state = 'denied';
    status.onchange?.();
    expect(told).toEqual(['denied']);
    expect(await position.permission()).toBe('denied');
  });

  test('knows of no permission in a browser that cannot tell', async () => {
    vi.stubGlobal('navigator', { geolocation: {} });
    expect(await position.permission()).toBe('unknown');
  });
});
