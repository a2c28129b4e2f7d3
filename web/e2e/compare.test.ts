import { expect, test } from 'vitest';
import { seeded } from '../src/radio/testing/random';
import { find } from './compare';

const RATE = 48_000;

/** Noise with the rhythm of syllables. */
function voice(seed: number, seconds = 4): Float32Array {
  const random = seeded(seed);
  const parts: number[] = [];
  while (parts.length < seconds * RATE) {
    const [loud, length] = [0.05 + random() * 0.5, Math.round((0.06 + random() * 0.15) * RATE)];
    const pause = random() < 0.3 ? Math.round(random() * 0.1 * RATE) : 0;
    for (let i = 0; i < length; i += 1) parts.push(loud * (random() * 2 - 1));
    for (let i = 0; i < pause; i += 1) parts.push(0);
  }
  return Float32Array.from(parts.slice(0, seconds * RATE));
}

const silence = (seconds: number) => new Float32Array(seconds * RATE);
const join = (...pieces: Float32Array[]) => Float32Array.from(pieces.flatMap((one) => [...one]));
const around = (sound: Float32Array) => join(silence(1), sound, silence(1));

const one = voice(1);

test('a voice is found where it is', () => {
  const found = find(one, around(one.map((sample) => sample / 3)));
  expect(found.correlation).toBeGreaterThan(0.99);
  expect(found.at).toBe(RATE);
  expect(found.first).toBeCloseTo(1, 1);
  expect(found.last).toBeCloseTo(1, 1);
  expect(found.drift).toBe(0);
});

test('a voice that waited 100 ms in the middle is still whole', () => {
  const [begin, end] = [one.slice(0, 2 * RATE), one.slice(2 * RATE)];
  const found = find(one, around(join(begin, silence(0.1), end)));
  expect(found.correlation).toBeGreaterThan(0.9);
  expect(found.drift).toBeGreaterThanOrEqual(90);
});

test('a voice that falls behind all the time is found beside another', () => {
  // 20 ms more each 200 ms: as a whole it is like the other as much as like itself.
  const piece = 0.2 * RATE;
  const late = Array.from({ length: 20 }, (_, i) =>
    join(one.slice(i * piece, (i + 1) * piece), new Float32Array(RATE / 50)),
  );
  const found = find(one, join(around(join(...late)), around(voice(7))));
  expect(found.correlation).toBeGreaterThan(0.9);
  expect(found.at).toBeLessThan(1.3 * RATE);
});

test.each([2, 3, 4, 5])('another voice is not taken for it, seed %i', (seed) => {
  expect(find(one, around(voice(seed))).correlation).toBeLessThan(0.8);
});

test('a hole of 400 ms is noticed', () => {
  const hole = one.map((sample, i) => (i > RATE && i < 1.4 * RATE ? 0 : sample));
  expect(find(one, around(hole)).correlation).toBeLessThan(0.9);
});

test('clipped ends are noticed', () => {
  const clip = 0.1 * RATE;
  const found = find(one, around(one.map((s, i) => (i < clip || i > one.length - clip ? 0 : s))));
  expect(found.first).toBeLessThan(0.5);
  expect(found.last).toBeLessThan(0.5);
});
