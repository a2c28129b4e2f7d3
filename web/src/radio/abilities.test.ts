import { afterEach, expect, test, vi } from 'vitest';
import { hears, lacking } from './abilities';

afterEach(() => vi.unstubAllGlobals());

const codec = (supported: boolean) => ({ isConfigSupported: async () => ({ supported }) });
const throwing = { isConfigSupported: () => Promise.reject(new TypeError('opus?')) };

function browser(decoder: unknown, encoder: unknown, worklet: unknown = class {}, media = {}) {
  vi.stubGlobal('AudioDecoder', decoder);
  vi.stubGlobal('AudioEncoder', encoder);
  vi.stubGlobal('AudioWorkletNode', worklet);
  vi.stubGlobal('navigator', { mediaDevices: media });
}

test.each([
  ['has all', codec(true), codec(true), null],
  ['has no WebCodecs', undefined, undefined, 'no_voice'],
  ['decodes no Opus', codec(false), codec(true), 'no_decoder'],
  ['encodes no Opus', codec(true), codec(false), 'no_encoder'],
  ['throws when it is asked', throwing, throwing, 'no_voice'],
])('a browser that %s', async (_, decoder, encoder, lack) => {
  browser(decoder, encoder);
  expect(await lacking()).toBe(lack);
});

test('without worklets there is neither, and without media devices nothing to send', async () => {
  browser(codec(true), codec(true), null);
  expect(await lacking()).toBe('no_voice');
  browser(codec(true), codec(true));
  vi.stubGlobal('navigator', {});
  expect(await lacking()).toBe('no_encoder');
});

test('who cannot send hears all the same', () => {
  expect([null, 'no_encoder', 'page'].map((one) => hears(one as null))).toEqual([true, true, true]);
  expect([hears('no_voice'), hears('no_decoder'), hears('sound')]).toEqual([false, false, false]);
});
