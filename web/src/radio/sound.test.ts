import { expect, test } from 'vitest';
import { Framer } from './framer';
import { LevelCurve, level } from './levels';

test('a level is 1 at full scale, and 0 from 50 dB below', () => {
  expect(level(1, 1)).toBe(1);
  expect(level(0.001 ** 2, 1)).toBe(0);
  expect(level(0.1 ** 2, 1)).toBeCloseTo(0.6);
  expect(level(0, 0)).toBe(0);
});

test('a level curve has one value for 100 ms and merges when it grows long', () => {
  const curve = new LevelCurve();
  const second = (value: number) => new Float32Array(48_000).fill(value);
  expect(curve.add(new Float32Array(4_799))).toBe(false);
  expect(curve.add(new Float32Array(1))).toBe(true);
  for (let i = 0; i < 60; i += 1) curve.add(second(i < 30 ? 0.001 : 1));
  expect(curve.values.length).toBeLessThanOrEqual(100);
  expect(curve.values.length).toBeGreaterThan(50);
  const middle = Math.floor(curve.values.length / 2);
  expect(curve.values.slice(0, middle - 1).every((value) => value < 0.01)).toBe(true);
  expect(curve.values.slice(middle + 1).every((value) => value === 1)).toBe(true);
});

test('a framer cuts without losing a sample, and completes the last frame with silence', () => {
  const frames: Float32Array[] = [];
  const framer = new Framer(48_000, (pcm) => frames.push(pcm));
  const input = Float32Array.from({ length: 2_000 }, (_, i) => i + 1);
  for (let at = 0; at < input.length; at += 128) framer.add(input.subarray(at, at + 128));
  framer.cut();
  const all = frames.flatMap((frame) => [...frame]);
  expect(frames.map(({ length }) => length)).toEqual([960, 960, 960]);
  expect(all.slice(0, 2_000)).toEqual([...input]);
  expect(all.slice(2_000).every((sample) => sample === 0)).toBe(true);
});

test('a framer keeps what it has when frames grow', () => {
  const frames: Float32Array[] = [];
  const framer = new Framer(48_000, (pcm) => frames.push(pcm));
  framer.add(new Float32Array(500).fill(1));
  framer.resize(2_880);
  framer.add(new Float32Array(2_380).fill(2));
  expect(frames).toHaveLength(1);
  expect(frames[0]?.filter((sample) => sample === 1)).toHaveLength(500);
});

test.each([44_100, 16_000, 96_000])('a microphone of %i Hz is brought to 48 kHz', (rate) => {
  const frames: Float32Array[] = [];
  const framer = new Framer(rate, (pcm) => frames.push(pcm));
  const hertz = 300;
  for (let i = 0; i < rate; i += 1) {
    framer.add(Float32Array.of(Math.sin((2 * Math.PI * hertz * i) / rate)));
  }
  const all = frames.flatMap((frame) => [...frame]);
  expect(all.length).toBe(48_000);
  const rising = all.filter((sample, i) => i > 0 && sample >= 0 && (all[i - 1] ?? 0) < 0);
  expect(Math.abs(rising.length - hertz)).toBeLessThanOrEqual(1);
});
