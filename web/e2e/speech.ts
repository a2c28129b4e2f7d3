import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RATE = 48_000;

/** Speech made for a test, between silences, as 48 kHz mono wav. */
export interface Speech {
  file: string;
  /** Without the silences around it. */
  voice: Float32Array;
  /** The whole file. */
  whole: Float32Array;
  seconds: number;
}

/** Speaks `text` with `lead` and `tail` seconds of silence around it. */
export function speak(text: string, voice = 'en-gb', lead = 0.6, tail = 0.8): Speech {
  const folder = mkdtempSync(join(tmpdir(), 'tenfour-speech-'));
  const [raw, plain] = [join(folder, 'raw.wav'), join(folder, 'plain.wav')];
  run('espeak-ng', ['-v', voice, '-s', '150', '-w', raw, text]);
  // What espeak leaves of silence at both ends is taken off, so that the voice's ends are known.
  const trim = [
    'silence',
    '1',
    '0.02',
    '0.5%',
    'reverse',
    'silence',
    '1',
    '0.02',
    '0.5%',
    'reverse',
  ];
  run('sox', [raw, '-r', String(RATE), '-c', '1', '-b', '16', plain, ...trim, 'norm', '-6']);
  const samples = readWav(plain);
  const whole = new Float32Array(Math.round((lead + tail) * RATE) + samples.length);
  whole.set(samples, Math.round(lead * RATE));
  const file = join(folder, 'speech.wav');
  writeFileSync(file, wav(whole));
  return { file, voice: samples, whole, seconds: whole.length / RATE };
}

/** Samples of a 16-bit mono wav. */
export function readWav(file: string): Float32Array {
  const bytes = readFileSync(file);
  let at = 12;
  while (at + 8 <= bytes.length) {
    const size = bytes.readUInt32LE(at + 4);
    if (bytes.toString('latin1', at, at + 4) === 'data') {
      const end = Math.min(bytes.length, at + 8 + size);
      const count = Math.floor((end - at - 8) / 2);
      return Float32Array.from(
        { length: count },
        (_, i) => bytes.readInt16LE(at + 8 + 2 * i) / 32_768,
      );
    }
    at += 8 + size + (size % 2);
  }
  throw new Error(`${file} has no sound`);
}

function wav(samples: Float32Array): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + samples.length * 2, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(samples.length * 2, 40);
  const body = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, i) => {
    body.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), 2 * i);
  });
  return Buffer.concat([header, body]);
}

/** A tool with a time limit and no standard input: a runaway one would fill the disk. */
function run(tool: string, args: string[]): void {
  execFileSync(tool, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 20_000 });
}
