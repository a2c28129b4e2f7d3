import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { shareOf } from './solve';
import { fromHex, vectors } from './testing/vectors';
import { Work } from './work';

interface Vector {
  nonce: string;
  user: string;
  solutions: { bits: number; work: number; hash: string }[];
}

const { nonce, user, solutions } = vectors<Vector>('work.json');

/** By the hash of somebody else. */
function hashOf(number: number): string {
  const eight = Buffer.alloc(8);
  eight.writeBigUInt64BE(BigInt(number));
  const parts = [Buffer.from('tenfour-work-v1'), fromHex(nonce), fromHex(user), eight];
  return createHash('sha256').update(Buffer.concat(parts)).digest('hex');
}

describe('work', () => {
  const work = new Work(fromHex(nonce), fromHex(user));

  test.each(solutions)(
    'for $bits bits is done as the vector says',
    ({ bits, work: number, hash }) => {
      expect(hashOf(number)).toBe(hash);
      expect(work.search(0, number + 1, bits)).toBe(number);
      if (number > 0) expect(work.search(0, number, bits)).toBeNull();
    },
  );

  test.each([0, 1, 255, 256, 65_536, 0xff_ffff, 0x100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff])(
    'hashes the number %i as others do',
    (number) => {
      const zeros = Math.clz32(Number.parseInt(hashOf(number).slice(0, 8), 16));
      if (zeros > 0) expect(work.search(number, 1, zeros)).toBe(number);
      expect(work.search(number, 1, zeros + 1)).toBeNull();
    },
  );
});

test('how likely the end was by now never comes back and never reaches one', () => {
  const shares = [0, 1, 2, 4, 8].map((times) => shareOf(times * 2 ** 19, 19));
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(shares[0]).toBe(0);
  expect(shares[1]).toBeCloseTo(0.632, 3);
  expect(shares.at(-1)).toBeLessThan(1);
});
