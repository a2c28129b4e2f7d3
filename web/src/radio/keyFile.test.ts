import { expect, test } from 'vitest';
import { fromBase64url } from './encoding';
import { type DeviceKey, identify, publicKeyOf, userId } from './identity';
import { KeyFault } from './keyFault';
import { openKeyFile, sealKeyFile, sealWith, seedOf } from './keyFile';
import { fromHex, toHex, vectors } from './testing/vectors';

interface Vector {
  seed: string;
  passphrases: string[];
  file: Record<string, string | number>;
  wrong: {
    name: string;
    change?: Record<string, unknown>;
    text?: string;
    passphrase?: string;
    error: string;
  }[];
}

const vector = vectors<Vector>('key_file.json');
const passphrase = vector.passphrases[0] ?? '';

test.each(vector.passphrases)('the vector is opened with %s', async (one) => {
  const pair = await openKeyFile(JSON.stringify(vector.file), one);
  expect(toHex(await seedOf(pair))).toBe(vector.seed);
  expect(userId(await identify(await publicKeyOf(pair)))).toBe(vector.file.user);
});

test('the vector is written alike', async () => {
  const { salt, nonce } = vector.file;
  const user = await identify(await publicKeyOf(await open()));
  const [seed, normal] = [fromHex(vector.seed), passphrase.normalize('NFKC')];
  const of = (text: unknown) => fromBase64url(String(text));
  const written = await sealWith(seed, user, normal, of(salt), of(nonce));
  expect(JSON.parse(written)).toEqual(vector.file);
});

test.each(vector.wrong)('what is wrong is told: $name', async (one) => {
  const file: Record<string, unknown> = { ...vector.file, ...one.change };
  for (const [name, value] of Object.entries(file)) if (value === null) delete file[name];
  const opening = openKeyFile(one.text ?? JSON.stringify(file), one.passphrase ?? passphrase);
  await expect(opening).rejects.toEqual(new KeyFault(one.error as KeyFault['reason']));
});

test('a key survives the way through a file, and each file is another', async () => {
  const key = await device();
  const files = [await sealKeyFile(key, 'kilo mike'), await sealKeyFile(key, 'kilo mike')];
  expect(files[0]).not.toBe(files[1]);
  expect(toHex(await seedOf(await openKeyFile(files[0] ?? '', 'kilo mike')))).toBe(vector.seed);
});

test.each([
  ['none', ''],
  ['seven', '1234567'],
  ['seven of four bytes', '🤘'.repeat(7)],
  ['four with marks', 'e\u0301'.repeat(4)],
  ['a thousand and more', 'x'.repeat(1025)],
])('a passphrase has eight characters of any kind: %s are refused', async (_, bad) => {
  await expect(sealKeyFile(await device(), bad)).rejects.toEqual(new KeyFault('length'));
});

test('a key that the browser does not give out is told', async () => {
  const kept = (await crypto.subtle.generateKey('Ed25519', false, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  await expect(seedOf(kept)).rejects.toEqual(new KeyFault('kept'));
});

function open(): Promise<CryptoKeyPair> {
  return openKeyFile(JSON.stringify(vector.file), passphrase);
}

async function device(): Promise<DeviceKey> {
  const pair = await open();
  const publicKey = await publicKeyOf(pair);
  return { pair, publicKey, user: await identify(publicKey), sign: async (bytes) => bytes };
}
