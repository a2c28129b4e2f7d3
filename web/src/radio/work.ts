/**
 * Work for a registration, when many came from one address: a number for which the SHA-256 of
 * `"tenfour-work-v1" || nonce || identifier || number` begins with so many zero bits. `crypto.subtle` has
 * a promise for each hash, which costs more than the hash; so it is written here.
 */

const CONTEXT = 'tenfour-work-v1';
/** Bytes of a block. The first one has all but the end of the identifier, and is hashed once. */
const BLOCK = 64;
/** Bits of context, nonce, identifier and number. */
const BITS = (15 + 32 + 20 + 8) * 8;

export class Work {
  readonly #words = new Int32Array(BLOCK);
  /** The hash after the first block. */
  readonly #middle: Int32Array;
  readonly #hash = new Int32Array(8);
  readonly #end: number;

  /** For the registration of `user` (20 bytes) with this nonce (32 bytes). */
  constructor(nonce: Uint8Array, user: Uint8Array) {
    const bytes = new Uint8Array(BLOCK + 4);
    bytes.set(new TextEncoder().encode(CONTEXT));
    bytes.set(nonce, CONTEXT.length);
    bytes.set(user, CONTEXT.length + nonce.length);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < 16; i += 1) this.#words[i] = view.getInt32(4 * i);
    this.#middle = Int32Array.from(START);
    compress(this.#middle, this.#words);
    // The last three bytes of the identifier, and the first of the number, which is 0.
    this.#end = view.getInt32(BLOCK);
  }

  /** The first solution from `begin` on among `count` numbers below 2^32, or null. `bits` is 1 to 32. */
  search(begin: number, count: number, bits: number): number | null {
    for (let number = begin; number < begin + count; number += 1) {
      if (Math.clz32(this.#first(number)) >= bits) return number;
    }
    return null;
  }

  /** The first 32 bits of the hash for a number, which has eight bytes in it. */
  #first(number: number): number {
    const words = this.#words;
    words[0] = this.#end;
    words[1] = number >>> 24;
    words[2] = (number << 8) | 0x80;
    words.fill(0, 3, 15);
    words[15] = BITS;
    this.#hash.set(this.#middle);
    compress(this.#hash, words);
    return this.#hash[0] as number;
  }
}

/** One block of SHA-256 (FIPS 180-4, 6.2.2). The first 16 of `w` are the block, the rest is room. */
function compress(hash: Int32Array, w: Int32Array): void {
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15] as number;
    const y = w[i - 2] as number;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0;
  }
  // Taking the array apart at once would make an iterator for each hash.
  let a = hash[0] as number;
  let b = hash[1] as number;
  let c = hash[2] as number;
  let d = hash[3] as number;
  let e = hash[4] as number;
  let f = hash[5] as number;
  let g = hash[6] as number;
  let h = hash[7] as number;
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (ROUNDS[i] as number) + (w[i] as number)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  // The array wraps around at 32 bits.
  hash[0] = (hash[0] as number) + a;
  hash[1] = (hash[1] as number) + b;
  hash[2] = (hash[2] as number) + c;
  hash[3] = (hash[3] as number) + d;
  hash[4] = (hash[4] as number) + e;
  hash[5] = (hash[5] as number) + f;
  hash[6] = (hash[6] as number) + g;
  hash[7] = (hash[7] as number) + h;
}

/** The first 32 bits of the fractional part of a root of the first primes, as FIPS 180-4 has them. */
function roots(count: number, power: number): Int32Array {
  const found: number[] = [];
  for (let n = 2; found.length < count; n += 1) {
    if (found.every((_, i) => n % (primes[i] as number) !== 0)) {
      primes[found.length] = n;
      found.push(fraction(n, power));
    }
  }
  return Int32Array.from(found);
}

/** In whole numbers: no floating point has enough digits. */
function fraction(n: number, power: number): number {
  const wanted = BigInt(n) << BigInt(32 * power);
  let root = 0n;
  for (let bit = 1n << 37n; bit > 0n; bit >>= 1n) {
    if ((root + bit) ** BigInt(power) <= wanted) root += bit;
  }
  return Number(root & 0xffffffffn) | 0;
}

const primes: number[] = [];
const START = roots(8, 2);
const ROUNDS = roots(64, 3);
