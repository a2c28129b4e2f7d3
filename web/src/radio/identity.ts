import { toBase32 } from './encoding';
import { refusal } from './refusal';

/**
 * The key pair of this device. It stands in the browser's key store; the private half leaves it only
 * sealed, when its person takes it along (docs/adr/0010).
 */
export interface DeviceKey {
  /** Ed25519 public key, 32 bytes. */
  publicKey: Uint8Array<ArrayBuffer>;
  /** First 20 bytes of the SHA-256 of the public key: the user identifier. */
  user: Uint8Array<ArrayBuffer>;
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** As the browser keeps it. */
  readonly pair: CryptoKeyPair;
}

const DATABASE = 'tenfour';
const STORE = 'keys';
const ROW = 'device';

/** The key made earlier on this device, if there is one. Throws a `Refusal`. */
export async function findDeviceKey(): Promise<DeviceKey | null> {
  const pair = await readPair();
  return pair ? deviceKey(pair) : null;
}

/** Makes a key and keeps it. Throws a `Refusal`. */
export async function makeDeviceKey(): Promise<DeviceKey> {
  return keepDeviceKey(await generate());
}

/** Keeps a key in the place of the one that is there. Throws a `Refusal`. */
export async function keepDeviceKey(pair: CryptoKeyPair): Promise<DeviceKey> {
  await withStore('readwrite', (store) => store.put(pair, ROW));
  return deviceKey(pair);
}

/** Deletes the key of this device for good. Throws a `Refusal`. */
export async function forgetDeviceKey(): Promise<void> {
  await withStore('readwrite', (store) => store.delete(ROW));
}

/** The public key of a pair, 32 bytes. */
export async function publicKeyOf({ publicKey }: CryptoKeyPair): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
}

/** The user identifier as text. */
export function userId(user: Uint8Array): string {
  return toBase32(user);
}

/** The bytes a device key signs to register or to log in. */
export function signedBytes(
  origin: string,
  nonce: Uint8Array,
  expiry: number,
  user: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(`tenfour-auth-v1${origin}`);
  const bytes = new Uint8Array(head.length + nonce.length + 8 + user.length);
  bytes.set(head);
  bytes.set(nonce, head.length);
  new DataView(bytes.buffer).setBigUint64(head.length + nonce.length, BigInt(expiry));
  bytes.set(user, head.length + nonce.length + 8);
  return bytes;
}

/** The identifier of a public key, as bytes. */
export async function identify(
  publicKey: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', publicKey)).slice(0, 20);
}

async function generate(): Promise<CryptoKeyPair> {
  // Without https (or localhost) there is no `crypto.subtle` at all.
  if (!globalThis.crypto?.subtle) throw refusal('unsupported', 'no_ed25519');
  try {
    return (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  } catch {
    throw refusal('unsupported', 'no_ed25519');
  }
}

async function deviceKey(pair: CryptoKeyPair): Promise<DeviceKey> {
  const publicKey = await publicKeyOf(pair);
  return {
    publicKey,
    user: await identify(publicKey),
    sign: async (bytes) =>
      new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, bytes)),
    pair,
  };
}

async function readPair(): Promise<CryptoKeyPair | null> {
  return (
    (await withStore<CryptoKeyPair | undefined>('readonly', (store) => store.get(ROW))) ?? null
  );
}

/** Runs one request in a transaction of its own and waits until it is on disk. */
async function withStore<T>(
  mode: IDBTransactionMode,
  request: (store: IDBObjectStore) => IDBRequest,
): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const asked = request(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked.result as T);
      transaction.onabort = () => reject(refusal('unsupported', 'no_key_store'));
    });
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    let asked: IDBOpenDBRequest;
    try {
      asked = indexedDB.open(DATABASE, 1);
    } catch {
      reject(refusal('unsupported', 'no_key_store'));
      return;
    }
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(refusal('unsupported', 'no_key_store'));
  });
}
