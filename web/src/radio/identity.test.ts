import { expect, test } from 'vitest';
import { fromBase64url, toBase64url } from './encoding';
import { identify, signedBytes, userId } from './identity';
import { fromHex, toHex, vectors } from './testing/vectors';

interface Identity {
  public_key: string;
  user: string;
  tag: string;
  origin: string;
  nonce: string;
  expiry: number;
  signed_bytes: string;
}

const vector = vectors<Identity>('identity.json');

test('identifier and signed bytes are those of the vector', async () => {
  const user = await identify(fromHex(vector.public_key));
  expect(userId(user)).toBe(vector.user);
  expect(userId(user).slice(0, 4)).toBe(vector.tag);
  const bytes = signedBytes(vector.origin, fromHex(vector.nonce), vector.expiry, user);
  expect(toHex(bytes)).toBe(vector.signed_bytes);
});

test('base64url has no padding and survives the way back', () => {
  for (let length = 0; length < 70; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, i) => 255 - i * 3);
    const text = toBase64url(bytes);
    expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
    expect(fromBase64url(text)).toEqual(bytes);
  }
});
