import { describe, expect, test } from 'vitest';
import { MS } from './frame';
import { Hear } from './hear';
import { JitterBuffer } from './jitter';
import { Memory } from './memory';
import { Store } from './store';
import { seeded } from './testing/random';
import { vectors } from './testing/vectors';
import { timeline } from './timeline';

interface Arrival {
  /** In ms. */
  at: number;
  seq: number;
  mediaTime: number;
}

interface Row {
  frames: number;
  after_ms: number;
  media: number;
  seq?: number;
}

interface Shape {
  name: string;
  frame_ms: 20 | 40 | 60;
  said: Row[];
  heard: { frames: number; samples: number };
}

const { talk_limit_ms, shapes } = vectors<{ talk_limit_ms: number; shapes: Shape[] }>('clock.json');
const SECOND = 1_000 * MS;
/** Samples that one call of the loudspeaker wants. */
const QUANTUM = 128;

function arrivals(rows: Row[]): Arrival[] {
  const all: Arrival[] = [];
  for (const { frames, after_ms, media, seq = 1 } of rows) {
    for (let n = 0; n < frames; n += 1) {
      const last = all.at(-1);
      const mediaTime = ((last?.mediaTime ?? 0) + media) % 2 ** 32;
      all.push(
        last
          ? { at: last.at + after_ms, seq: last.seq + seq, mediaTime }
          : { at: 0, seq: 0, mediaTime },
      );
    }
  }
  return all;
}

/** How the page hears a press, and how long that fills an ear: in frames, samples and ms. */
function hear(frameMs: 20 | 40 | 60, frames: Arrival[]) {
  const store = new Store('Tenfour', '19');
  let [now, taken, samples] = [0, 0, 0];
  let buffer: JitterBuffer | undefined;
  const player = {
    begin: (_: number, frame: number, bundle: number, live: boolean) => {
      buffer = new JitterBuffer(frame * bundle, live);
    },
    packet: (_: number, { time, lost }: { time: number; lost: boolean }) => {
      taken += 1;
      samples = time + frameMs * MS;
      buffer?.push(time, lost, new Float32Array(frameMs * MS).fill(0.5));
    },
    end: () => buffer?.end(),
    stop: () => {},
  };
  const clock = { now: () => now, after: () => () => {} };
  const ear = new Hear(store, new Memory(clock, () => {}), player, clock, () => 1);
  ear.welcomed(talk_limit_ms, 10_000);
  const talker = { id: 5, handle: 'Roadrunner', tag: 'k7f2' };
  const started = {
    type: 'burst.started',
    burst: 1,
    channel: '19',
    talker,
    codec: 'opus',
  } as const;
  ear.started({ ...started, frame_ms: frameMs });
  const out = new Float32Array(QUANTUM);
  let [began, next] = [Number.NaN, 0];
  for (let at = 0; ; at += QUANTUM) {
    for (let one = frames[next]; one && one.at * MS <= at; one = frames[next]) {
      now = one.at;
      const payload = Uint8Array.of(8);
      ear.frame({ burst: 1, seq: one.seq, mediaTime: one.mediaTime, last: false, payload });
      next += 1;
      if (next === frames.length) {
        ear.ended({ type: 'burst.ended', burst: 1, frames: one.seq + 1, reason: 'released' });
      }
    }
    out.fill(0);
    buffer?.pull(out);
    if (Number.isNaN(began) && out.some((sample) => sample !== 0)) began = at;
    if (buffer?.finished) return { taken, samples, played: (at + QUANTUM - began) / MS };
  }
}

/** The most by which sound itself came early, in samples: what was held comes so. */
function early(frameMs: number, frames: Arrival[]): number {
  let [lead, most, before] = [0, 0, 0];
  for (const { at } of frames) {
    lead = Math.max(0, lead - (at - before) * MS) + frameMs * MS;
    [most, before] = [Math.max(most, lead), at];
  }
  return most;
}

describe('the clock of a talker', () => {
  test.each(shapes)('is believed as far as time allows: $name', ({ frame_ms, said, heard }) => {
    const frames = arrivals(said);
    const { taken, samples, played } = hear(frame_ms, frames);
    expect({ frames: taken, samples }).toEqual(heard);
    const span = frames.at(-1)?.at ?? 0;
    expect(played).toBeLessThan(Math.max(span, 60_000) + 4_000);
    // Frames that came early are played when their time has come, all others at once.
    const most = Math.max(3.5 * SECOND, 2.5 * SECOND + early(frame_ms, frames)) / MS;
    expect(played).toBeLessThanOrEqual(span + most + 500);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('whatever it says, seed %i', (seed) => {
    const random = seeded(seed);
    const any = (most: number) => Math.floor(random() * most);
    const pick = (...all: number[]) => all[any(all.length)] ?? 0;
    for (let press = 0; press < 6; press += 1) {
      const rows = Array.from({ length: 1 + any(50) }, () => ({
        frames: 1 + any(80),
        after_ms: pick(0, 0, 20, 20, any(100), any(1000)),
        media: pick(960, 960, 0, 1, any(10_000), any(200_000), any(2 ** 31), any(2 ** 32)),
        seq: pick(1, 1, 1, 1 + any(10)),
      }));
      const frameMs = pick(20, 40, 60) as 20 | 40 | 60;
      const frames = arrivals(rows).filter(({ at }) => at <= 60_000);
      const span = frames.at(-1)?.at ?? 0;
      const most = Math.max(3.5 * SECOND, 2.5 * SECOND + early(frameMs, frames));
      const { samples, played } = hear(frameMs, frames);
      expect(samples).toBeLessThanOrEqual(Math.min(span * MS + most, 63.5 * SECOND));
      expect(played).toBeLessThanOrEqual(span + most / MS + 500);
    }
  });

  test('a frame is never cut, and its place is behind the one before', () => {
    const place = timeline(960, 60 * SECOND);
    expect([5_000, 5_000, 4_000, 4_960].map((media) => place(media, 0))).toEqual([
      0, 960, 1_920, 2_880,
    ]);
  });

  test('a talk limit that is no number lets nothing through', () => {
    expect(timeline(960, Number.NaN)(0, 0)).toBeUndefined();
  });

  test('a server has no longer talk limit than any', () => {
    const store = new Store('Tenfour', '19');
    let last = 0;
    const nothing = () => {};
    const packet = (_: number, { time }: { time: number }) => {
      last = time;
    };
    const player = { begin: nothing, packet, end: nothing, stop: nothing };
    const clock = { now: () => 0, after: () => nothing };
    const ear = new Hear(store, new Memory(clock, nothing), player, clock, () => 1);
    ear.welcomed(2 ** 32, 10_000);
    const talker = { id: 5, handle: 'Roadrunner', tag: 'k7f2' };
    const started = { type: 'burst.started', burst: 1, channel: '19', talker } as const;
    ear.started({ ...started, codec: 'opus', frame_ms: 20 });
    for (let seq = 0; seq < 2 ** 16; seq += 1) {
      ear.frame({ burst: 1, seq, mediaTime: seq * 960, last: false, payload: Uint8Array.of(8) });
    }
    expect(last + 960).toBe(603.5 * SECOND);
  });
});
