/** What a browser leaves on the disk, and looking for bytes in it. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of a piece that is looked for. */
const PIECE = 16;

/** Pieces of voice, to be found in whatever was kept. */
export class Pieces {
  readonly #by = new Map<number, Buffer[]>();
  /** Whether a piece begins with these two bytes: most places are passed by with one look. */
  readonly #begins = new Uint8Array(65_536);
  count = 0;

  /** Takes pieces out of the middle of `bytes`, one in each `every` bytes. */
  add(bytes: Buffer, every: number): void {
    for (let at = PIECE; at + 2 * PIECE <= bytes.length; at += every) {
      const piece = bytes.subarray(at, at + PIECE);
      // Silence is in every file.
      if (new Set(piece).size < PIECE / 2) continue;
      const start = piece.readUInt32LE(0);
      this.#begins[start & 0xffff] = 1;
      this.#by.set(start, [...(this.#by.get(start) ?? []), Buffer.from(piece)]);
      this.count += 1;
    }
  }

  /** How many places of `bytes` hold one. */
  foundIn(bytes: Buffer): number {
    let found = 0;
    for (let at = 0; at + PIECE <= bytes.length; at += 1) {
      if (!this.#begins[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)]) continue;
      const known = this.#by.get(bytes.readUInt32LE(at));
      if (known?.some((piece) => piece.equals(bytes.subarray(at, at + PIECE)))) found += 1;
    }
    return found;
  }
}

/** Samples as 16-bit numbers. */
export function asInt16(samples: Float32Array): Buffer {
  return Buffer.from(Int16Array.from(samples, (sample) => Math.round(sample * 32_767)).buffer);
}

/** The files of a folder with pieces in them, and how many bytes were searched. */
export function search(folder: string, pieces: Pieces): { bytes: number; hits: string[] } {
  return look(folder, (content) => pieces.foundIn(content) > 0);
}

/** The same for whole strings of bytes. */
export function filesWith(folder: string, forms: Buffer[]): { bytes: number; hits: string[] } {
  return look(folder, (content) => forms.some((form) => content.includes(form)));
}

function look(
  folder: string,
  has: (content: Buffer) => boolean,
): { bytes: number; hits: string[] } {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  let bytes = 0;
  const hits: string[] = [];
  for (const file of files.filter((entry) => entry.isFile())) {
    const path = join(file.parentPath, file.name);
    const content = readFileSync(path);
    bytes += content.length;
    if (has(content)) hits.push(path.slice(folder.length + 1));
  }
  return { bytes, hits };
}
