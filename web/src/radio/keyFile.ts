/**
 * A device key to be taken along: in a file, sealed under a passphrase. The command line reads and
 * writes the same files; docs/key-file.md is the normative text. Loaded when a key is taken along.
 */

import {
  KEY_FILE_BYTES,
  KEY_FILE_ITERATIONS,
  KEY_FILE_ITERATIONS_MOST,
  PASSPHRASE_BYTES,
  PASSPHRASE_CHARACTERS,
} from '../gen/limits';
import { fromBase64url, toBase64url } from './encoding';
import type { DeviceKey } from './identity';
import { identify, publicKeyOf, userId } from './identity';
import { KeyFault } from './keyFault';
import { asRefusal, refusal } from './refusal';

type Bytes = Uint8Array<ArrayBuffer>;

const FORMAT = 'tenfour-key';
const VERSION = 1;
/** Begins what is authenticated with the seed. */
const CONTEXT = new TextEncoder().encode('tenfour-key-v1');

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7). */
const PKCS8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);
const FIELDS = ['format', 'version', 'user', 'iterations', 'salt', 'nonce', 'sealed', 'check'];

/** What a file has in clear, as bytes, and the sealed seed. */
interface Parts {
  user: Bytes;
  iterations: number;
  salt: Bytes;
  nonce: Bytes;
  sealed: Bytes;
}

/** The text of a key file. Throws a `KeyFault`. */
export async function sealKeyFile({ pair, user }: DeviceKey, passphrase: string): Promise<string> {
  const normal = normalised(passphrase);
  if ([...normal].length < PASSPHRASE_CHARACTERS) throw new KeyFault('length');
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const seed = await seedOf(pair);
  try {
    return await sealWith(seed, user, normal, random(16), random(12));
  } finally {
    seed.fill(0);
  }
}

/** The same of a private key of 32 bytes, with a given salt and nonce. */
export async function sealWith(
  seed: Bytes,
  user: Bytes,
  passphrase: string,
  salt: Bytes,
  nonce: Bytes,
): Promise<string> {
  const clear = { user, iterations: KEY_FILE_ITERATIONS, salt, nonce };
  const key = await keyOf(passphrase, KEY_FILE_ITERATIONS, salt);
  const sealed = new Uint8Array(await crypto.subtle.encrypt(cipher(clear), key, seed));
  const file = {
    format: FORMAT,
    version: VERSION,
    user: userId(user),
    iterations: KEY_FILE_ITERATIONS,
    salt: toBase64url(salt),
    nonce: toBase64url(nonce),
    sealed: toBase64url(sealed),
    check: toBase64url(await checkOf({ ...clear, sealed })),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** The key in a key file's text. Throws a `KeyFault`, or a `Refusal` where there is no Ed25519. */
export async function openKeyFile(text: string, passphrase: string): Promise<CryptoKeyPair> {
  const parts = await parse(text);
  const key = await keyOf(normalised(passphrase), parts.iterations, parts.salt);
  let seed: Bytes;
  try {
    seed = new Uint8Array(await crypto.subtle.decrypt(cipher(parts), key, parts.sealed));
  } catch {
    throw new KeyFault('passphrase');
  }
  try {
    const pair = await pairOf(seed);
    const user = await identify(await publicKeyOf(pair));
    // Who sealed it said whose key it is: a file that lies is not to be trusted with anything.
    if (userId(user) !== userId(parts.user)) throw new KeyFault('damaged');
    return pair;
  } catch (error) {
    throw error instanceof KeyFault ? error : asRefusal(error);
  } finally {
    seed.fill(0);
  }
}

/** The key pair of a private key of 32 bytes. Throws a `Refusal`. */
async function pairOf(seed: Uint8Array<ArrayBuffer>): Promise<CryptoKeyPair> {
  const wrapped = new Uint8Array(PKCS8.length + seed.length);
  wrapped.set(PKCS8);
  wrapped.set(seed, PKCS8.length);
  try {
    const { subtle } = crypto;
    const privateKey = await subtle.importKey('pkcs8', wrapped, 'Ed25519', true, ['sign']);
    const { x = '' } = await subtle.exportKey('jwk', privateKey);
    const point = fromBase64url(x);
    const publicKey = await subtle.importKey('raw', point, 'Ed25519', true, ['verify']);
    return { privateKey, publicKey };
  } catch {
    throw refusal('unsupported', 'no_ed25519');
  } finally {
    wrapped.fill(0);
  }
}

/** The private key of a pair, 32 bytes. Throws a `KeyFault` when the browser does not give it out. */
export async function seedOf({ privateKey }: CryptoKeyPair): Promise<Uint8Array<ArrayBuffer>> {
  if (!privateKey.extractable) throw new KeyFault('kept');
  const wrapped = new Uint8Array(await crypto.subtle.exportKey('pkcs8', privateKey));
  const seed = wrapped.slice(PKCS8.length, PKCS8.length + 32);
  wrapped.fill(0);
  return seed;
}

async function parse(text: string): Promise<Parts> {
  const file = fields(text);
  const { iterations } = file;
  if (!isWhole(iterations, KEY_FILE_ITERATIONS, KEY_FILE_ITERATIONS_MOST))
    throw new KeyFault('damaged');
  const parts = {
    user: base32(file.user),
    iterations,
    salt: bytes(file.salt, 16),
    nonce: bytes(file.nonce, 12),
    sealed: bytes(file.sealed, 48),
  };
  if (toBase64url(await checkOf(parts)) !== file.check) throw new KeyFault('damaged');
  return parts;
}

function fields(text: string): Record<string, unknown> {
  if (text.length > KEY_FILE_BYTES) throw new KeyFault('foreign');
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new KeyFault(text.includes(`"${FORMAT}"`) ? 'damaged' : 'foreign');
  }
  if (typeof file !== 'object' || file === null) throw new KeyFault('foreign');
  const found = file as Record<string, unknown>;
  if (found.format !== FORMAT) throw new KeyFault('foreign');
  if (isWhole(found.version, VERSION + 1, Number.MAX_SAFE_INTEGER)) throw new KeyFault('newer');
  const names = Object.keys(found);
  const all = names.length === FIELDS.length && FIELDS.every((name) => names.includes(name));
  if (found.version !== VERSION || !all) throw new KeyFault('damaged');
  return found;
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

function bytes(value: unknown, length: number): Bytes {
  if (typeof value === 'string' && /^[\w-]*$/.test(value)) {
    const found = fromBase64url(value);
    // Written again it is the same: no bits are left over.
    if (found.length === length && toBase64url(found) === value) return found;
  }
  throw new KeyFault('damaged');
}

/** A user identifier's 20 bytes. */
function base32(value: unknown): Bytes {
  const letters = '0123456789abcdefghjkmnpqrstvwxyz';
  if (typeof value !== 'string' || !/^[0-9a-hjkmnp-tv-z]{32}$/.test(value)) {
    throw new KeyFault('damaged');
  }
  const found = new Uint8Array(20);
  [...value].forEach((letter, at) => {
    for (let bit = 0; bit < 5; bit += 1) {
      if ((letters.indexOf(letter) >> (4 - bit)) & 1) {
        const to = at * 5 + bit;
        found[to >> 3] = (found[to >> 3] ?? 0) | (0x80 >> (to & 7));
      }
    }
  });
  return found;
}

/** What is authenticated with the seed. */
function inClear({ user, iterations, salt }: Omit<Parts, 'sealed' | 'nonce'>): Bytes {
  const rounds = new Uint8Array(4);
  new DataView(rounds.buffer).setUint32(0, iterations);
  return joined(CONTEXT, user, rounds, salt);
}

/** Tells a damaged file from a wrong passphrase. It protects from nobody: the seal does. */
async function checkOf(parts: Parts): Promise<Bytes> {
  const all = joined(inClear(parts), parts.nonce, parts.sealed);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', all)).slice(0, 8);
}

function joined(...pieces: Bytes[]): Bytes {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Whatever a keyboard makes of the same letters. */
function normalised(passphrase: string): string {
  const normal = passphrase.normalize('NFKC');
  const longest = Math.max(
    ...[passphrase, normal].map((text) => new TextEncoder().encode(text).length),
  );
  if (longest > PASSPHRASE_BYTES) throw new KeyFault('length');
  return normal;
}

function cipher(clear: Omit<Parts, 'sealed'>): AesGcmParams {
  return { name: 'AES-GCM', iv: clear.nonce, additionalData: inClear(clear) };
}

async function keyOf(passphrase: string, iterations: number, salt: Bytes): Promise<CryptoKey> {
  const { subtle } = crypto;
  const text = new TextEncoder().encode(passphrase);
  const raw = await subtle.importKey('raw', text, 'PBKDF2', false, ['deriveKey']);
  text.fill(0);
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations };
  const kind = { name: 'AES-GCM', length: 256 };
  return subtle.deriveKey(derivation, raw, kind, false, ['encrypt', 'decrypt']);
}
