import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Reads one file of golden vectors. Tests run in `web/`. */
export function vectors<T>(file: string): T {
  return JSON.parse(readFileSync(resolve('../vectors', file), 'utf8')) as T;
}

export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
