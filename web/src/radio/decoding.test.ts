import { expect, test } from 'vitest';
import type { Decoder } from './decoding';
import { Decoding } from './decoding';
import { settle } from './testing/clock';

const FRAME = 960;

/** A decoder that gives one frame for each packet, or six for one of 6, and breaks at a packet of 0. */
class FakeDecoder implements Decoder {
  static made: FakeDecoder[] = [];
  readonly inside: number[] = [];
  closed = false;
  constructor(
    readonly output: (pcm: Float32Array<ArrayBuffer>) => void,
    readonly failed: () => void,
  ) {
    FakeDecoder.made.push(this);
  }
  decode(payload: Uint8Array): void {
    this.inside.push(payload[0] ?? 0);
  }
  work(): void {
    for (const value of this.inside.splice(0)) {
      if (value === 0) {
        this.closed = true;
        this.failed();
        return;
      }
      this.output(new Float32Array(value === 6 ? 6 * FRAME : FRAME).fill(value));
    }
  }
  async flush(): Promise<void> {
    this.work();
  }
  close(): void {
    this.closed = true;
  }
}

function make() {
  FakeDecoder.made = [];
  const out: { time: number; lost: boolean; value: number | undefined }[] = [];
  const lengths: number[] = [];
  let [ended, useless] = [0, 0];
  const decoding = new Decoding((output, failed) => new FakeDecoder(output, failed), FRAME, {
    chunk: (time, lost, pcm) => {
      out.push({ time, lost, value: pcm[0] });
      lengths.push(pcm.length);
    },
    ended: () => {
      ended += 1;
    },
    useless: () => {
      useless += 1;
    },
  });
  const packet = (seq: number, value: number, lost = false) =>
    decoding.packet({ time: seq * FRAME, lost, payload: Uint8Array.of(value) });
  return { decoding, out, lengths, packet, ended: () => ended, useless: () => useless };
}

test('sound keeps the media time of its packet', async () => {
  const { decoding, out, packet, ended } = make();
  packet(0, 7);
  packet(5, 8, true);
  decoding.end();
  await settle();
  expect(out).toEqual([
    { time: 0, lost: false, value: 7 },
    { time: 5 * FRAME, lost: true, value: 8 },
  ]);
  expect(ended()).toBe(1);
  expect(FakeDecoder.made[0]?.closed).toBe(true);
});

test('a packet that breaks the decoder is a loss, and the rest is heard', async () => {
  const { decoding, out, packet, ended } = make();
  for (const [seq, value] of [1, 2, 0, 4, 5].entries()) packet(seq, value);
  decoding.end();
  await settle();
  expect(out.map(({ value }) => value)).toEqual([1, 2, 4, 5]);
  expect(out.map(({ lost }) => lost)).toEqual([false, false, true, false]);
  expect(FakeDecoder.made).toHaveLength(2);
  expect(ended()).toBe(1);
});

test('a decoder that fails before it is given anything is told of, and no other is tried', () => {
  const { packet, useless } = make();
  FakeDecoder.made[0]?.failed();
  packet(0, 1);
  expect(useless()).toBe(1);
  expect(FakeDecoder.made).toHaveLength(1);
});

test('nobody can end the sound of a page with bad packets alone', async () => {
  const { decoding, out, packet, ended, useless } = make();
  for (let seq = 0; seq < 40; seq += 1) packet(seq, seq < 39 ? 0 : 5);
  decoding.end();
  for (let i = 0; i < 50; i += 1) {
    FakeDecoder.made.at(-1)?.work();
    await settle();
  }
  expect(out.map(({ value }) => value)).toEqual([5]);
  expect([ended(), useless()]).toEqual([1, 0]);
});

test('decodes two seconds ahead of the loudspeaker and no more', () => {
  const { decoding, out, packet } = make();
  for (let seq = 0; seq < 400; seq += 1) packet(seq, 1);
  const work = () => {
    for (let i = 0; i < 50; i += 1) FakeDecoder.made[0]?.work();
  };
  work();
  expect(out.length).toBeGreaterThanOrEqual(100);
  expect(out.length).toBeLessThan(120);
  decoding.played(48_000);
  work();
  expect(out.length).toBeGreaterThanOrEqual(150);
  expect(out.length).toBeLessThan(170);
});

test('a packet sounds for as long as was announced, whatever is in it', async () => {
  const { decoding, out, lengths, packet } = make();
  packet(0, 6);
  packet(1, 1);
  decoding.end();
  await settle();
  expect(out.map(({ value }) => value)).toEqual([6, 1]);
  expect(lengths).toEqual([FRAME, FRAME]);
});

test('nothing comes out after a stop', () => {
  const { decoding, out, packet } = make();
  packet(0, 1);
  decoding.close();
  FakeDecoder.made[0]?.work();
  packet(1, 1);
  expect(out).toEqual([]);
});
