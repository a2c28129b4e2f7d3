import { describe, expect, test } from 'vitest';
import { parseFrame, writeFrame } from './frame';
import { fromHex, toHex, vectors } from './testing/vectors';

interface Case {
  name: string;
  hex: string;
  frame?: { burst: number; seq: number; media_time: number; last: boolean; payload: string };
  error?: string;
}

const { cases } = vectors<{ cases: Case[] }>('voice_frames.json');

describe('voice frame vectors', () => {
  test.each(cases.filter(({ frame }) => frame))('$name', ({ hex, frame }) => {
    const parsed = parseFrame(fromHex(hex).buffer);
    if (typeof parsed === 'string' || !frame) throw new Error(`refused: ${parsed}`);
    const { burst, seq, mediaTime, last, payload } = parsed;
    expect({ burst, seq, media_time: mediaTime, last, payload: toHex(payload) }).toEqual(frame);
    expect(toHex(writeFrame(parsed))).toBe(hex);
  });

  test.each(cases.filter(({ error }) => error))('refused: $name', ({ hex, error }) => {
    expect(parseFrame(fromHex(hex).buffer)).toBe(error);
  });

  test('there are both kinds', () => {
    expect(cases.filter(({ frame }) => frame).length).toBeGreaterThan(5);
    expect(cases.filter(({ error }) => error).length).toBeGreaterThan(8);
  });
});
