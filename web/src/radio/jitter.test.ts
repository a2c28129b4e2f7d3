import { describe, expect, test } from 'vitest';
import { JitterBuffer } from './jitter';
import { seeded } from './testing/random';

const FRAME = 960;
const QUANTUM = 128;

/** A frame whose samples all have this value. */
const tone = (value = 0.5, samples = FRAME) => new Float32Array(samples).fill(value);

/** Sound of a burst, by a loudspeaker that pulls for `samples`. */
function pull(buffer: JitterBuffer, samples: number): Float32Array {
  const out = new Float32Array(samples);
  for (let at = 0; at < out.length; at += QUANTUM) buffer.pull(out.subarray(at, at + QUANTUM));
  return out;
}

interface Arrival {
  seq: number;
  /** When it comes, in samples of the loudspeaker. */
  at: number;
}

/** Plays frames that arrive as told; frame `n` has the value (n + 1) / 1000. */
function play(buffer: JitterBuffer, arrivals: Arrival[], frames: number): Float32Array {
  const heard: Float32Array[] = [];
  const waiting = [...arrivals].sort((a, b) => a.at - b.at);
  for (let now = 0; now < 60 * 48_000 && !buffer.finished; now += QUANTUM) {
    while (waiting[0] && waiting[0].at <= now) {
      const seq = waiting.shift()?.seq ?? 0;
      buffer.push(seq * FRAME, false, tone((seq + 1) / 1000));
      if (seq === frames - 1) buffer.end();
    }
    const out = new Float32Array(QUANTUM);
    buffer.pull(out);
    heard.push(out);
  }
  return Float32Array.from(heard.flatMap((one) => [...one]));
}

/** Samples heard of each frame. */
function heardOf(sound: Float32Array, frames: number): number[] {
  const counts = new Array<number>(frames).fill(0);
  for (const sample of sound) {
    const seq = Math.round(sample * 1000) - 1;
    const exact = Math.abs(sample * 1000 - (seq + 1)) < 1e-3;
    if (exact && seq >= 0 && seq < frames) counts[seq] = (counts[seq] ?? 0) + 1;
  }
  return counts;
}

describe('a jitter buffer', () => {
  test('holds 40 ms back, then plays sample by sample', () => {
    const arrivals = Array.from({ length: 50 }, (_, seq) => ({ seq, at: seq * FRAME }));
    const buffer = new JitterBuffer(FRAME, true);
    const sound = play(buffer, arrivals, 50);
    const first = sound.findIndex((sample) => sample !== 0);
    expect(first).toBeGreaterThanOrEqual(FRAME - QUANTUM);
    expect(first).toBeLessThanOrEqual(FRAME + QUANTUM);
    expect(heardOf(sound, 50)).toEqual(new Array(50).fill(FRAME));
    expect(buffer.target).toBe(40 * 48);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('loses nothing over a jittery network, seed %i', (seed) => {
    const random = seeded(seed);
    let last = 0;
    const arrivals = Array.from({ length: 300 }, (_, seq) => {
      const stall = random() < 0.02 ? random() * 0.3 * 48_000 : 0;
      // A stream keeps its order, however late.
      last = Math.max(last, seq * FRAME + random() * 0.03 * 48_000 + stall);
      return { seq, at: last };
    });
    const buffer = new JitterBuffer(FRAME, true);
    const counts = heardOf(play(buffer, arrivals, 300), 300);
    expect(buffer.finished).toBe(true);
    // Crossing over from a concealment takes 2 ms of a frame; the quiet first ones may be left out.
    const short = counts.filter((count, seq) => seq > 20 && count < FRAME - 96);
    expect(short).toEqual([]);
    expect(buffer.target).toBeLessThanOrEqual(0.2 * 48_000);
  });

  test('holds more back after each underrun, to 200 ms at most', () => {
    const buffer = new JitterBuffer(FRAME, true);
    const targets: number[] = [];
    for (let seq = 0; seq < 24; seq += 1) {
      buffer.push(seq * FRAME, false, tone());
      pull(buffer, 0.4 * 48_000);
      targets.push(buffer.target / 48);
    }
    expect(targets.slice(0, 4)).toEqual([60, 80, 100, 120]);
    expect(targets.at(-1)).toBe(200);
  });

  test('holds less back again when the network is calm', () => {
    const buffer = new JitterBuffer(FRAME, true);
    buffer.push(0, false, tone());
    pull(buffer, 0.1 * 48_000);
    expect(buffer.target).toBe(60 * 48);
    for (let seq = 1; seq < 280; seq += 1) {
      buffer.push(seq * FRAME, false, tone());
      pull(buffer, FRAME);
    }
    expect(buffer.target).toBe(40 * 48);
  });

  test('catches up in pauses and never in speech', () => {
    const buffer = new JitterBuffer(FRAME, true);
    // A second of speech and a second of quiet that all arrive at once.
    for (let seq = 0; seq < 100; seq += 1) {
      buffer.push(seq * FRAME, false, tone(seq < 50 ? 0.5 : 0.0001));
    }
    const speech = pull(buffer, 48_000);
    expect(speech.filter((sample) => sample === 0.5).length).toBeGreaterThan(48_000 - QUANTUM);
    expect(buffer.played).toBe(48_000);
    pull(buffer, 24_000);
    expect(buffer.played).toBeGreaterThan(72_000 + 20 * FRAME);
    expect(buffer.buffered).toBeLessThanOrEqual(buffer.target + 2 * FRAME);
  });

  test('keeps every pause of a burst from memory', () => {
    const buffer = new JitterBuffer(FRAME, false);
    for (let seq = 0; seq < 100; seq += 1) {
      buffer.push(seq * FRAME, false, tone(seq < 50 ? 0.5 : 0.0001));
    }
    buffer.end();
    pull(buffer, 100 * FRAME - 1);
    expect(buffer.finished).toBe(false);
    expect(buffer.played).toBe(100 * FRAME - 1);
  });

  test('plays silence where the talker was silent, and does not call it a loss', () => {
    const buffer = new JitterBuffer(FRAME, true);
    buffer.push(0, false, tone());
    buffer.push(FRAME + 4_800, false, tone());
    buffer.end();
    const sound = pull(buffer, 4_800 + 2 * FRAME);
    // All of it came at once, so the pause is made shorter, but not by more than a half.
    expect(sound.slice(FRAME, FRAME + 2_400).every((sample) => sample === 0)).toBe(true);
    expect(sound.filter((sample) => sample === 0.5)).toHaveLength(2 * FRAME);
    expect(buffer.finished).toBe(true);
  });

  test('counts a wait as part of the silence that follows, without holding more back', () => {
    const buffer = new JitterBuffer(FRAME, true);
    buffer.push(0, false, tone());
    buffer.push(FRAME, false, tone());
    pull(buffer, 2 * FRAME + 9_600);
    expect(buffer.target).toBe(60 * 48);
    buffer.push(2 * FRAME + 14_400, false, tone());
    expect(buffer.target).toBe(40 * 48);
    // The rest of the silence and the frame: 14400 were meant, about 9600 have passed.
    expect(buffer.buffered).toBeLessThan(4_800 + 2 * FRAME);
  });

  test('fills a loss with the last sound, fading to nothing in 60 ms', () => {
    const buffer = new JitterBuffer(FRAME, true);
    buffer.push(0, false, tone());
    buffer.push(FRAME * 6, true, tone());
    buffer.end();
    const sound = pull(buffer, 7 * FRAME);
    const loss = sound.subarray(FRAME, 6 * FRAME);
    expect(loss[0]).toBeCloseTo(0.5, 2);
    expect(loss[1_440]).toBeCloseTo(0.25, 2);
    expect(loss.subarray(2_880).every((sample) => sample === 0)).toBe(true);
    for (let i = 1; i < 2_880; i += 1) {
      expect(Math.abs((loss[i] ?? 0) - (loss[i - 1] ?? 0))).toBeLessThan(0.01);
    }
  });

  test('does not play a loss of seconds', () => {
    const buffer = new JitterBuffer(FRAME, true);
    buffer.push(0, false, tone());
    buffer.push(FRAME * 400, true, tone());
    buffer.end();
    pull(buffer, 2 * FRAME + 0.2 * 48_000);
    expect(buffer.finished).toBe(true);
  });

  test('plays a burst shorter than what it holds back', () => {
    const buffer = new JitterBuffer(FRAME, true);
    buffer.push(0, false, tone());
    buffer.end();
    expect(pull(buffer, FRAME).filter((sample) => sample === 0.5)).toHaveLength(FRAME);
    expect(buffer.finished).toBe(true);
  });

  test('holds more than one frame back when frames are large', () => {
    const buffer = new JitterBuffer(2_880, true);
    expect(buffer.target).toBe(80 * 48);
  });

  test('tells when each chunk begins to sound', () => {
    const reached: number[] = [];
    const buffer = new JitterBuffer(FRAME, true, (time) => reached.push(time));
    for (let seq = 0; seq < 3; seq += 1) buffer.push(seq * FRAME, false, tone());
    buffer.end();
    pull(buffer, 3 * FRAME);
    expect(reached).toEqual([0, FRAME, 2 * FRAME]);
  });
});
