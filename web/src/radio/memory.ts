import { MS } from './frame';

/** One Opus packet of a burst. */
export interface Packet {
  /** Place of the first sample, at 48 kHz. The first packet of a burst lies at 0. */
  time: number;
  /** True when frames before it never came. */
  lost: boolean;
  payload: Uint8Array<ArrayBuffer>;
}

/** Bursts that are kept at most. */
const BURSTS = 20;
/** Voice that is kept at most, in ms. */
const VOICE = 5 * 60_000;

/** The packets of one burst, in memory only. */
export class Recording {
  #packets: Packet[] = [];
  #finished = false;
  #kept = true;

  constructor(
    readonly key: string,
    readonly channel: string,
    readonly frameMs: number,
  ) {}

  get packets(): readonly Packet[] {
    return this.#packets;
  }
  /** True when the burst is over. */
  get finished(): boolean {
    return this.#finished;
  }
  /** False when it was forgotten to make room. */
  get kept(): boolean {
    return this.#kept;
  }
  /** Sound in it, in ms. */
  get length(): number {
    const last = this.#packets.at(-1);
    return last ? last.time / MS + this.frameMs : 0;
  }

  add(packet: Packet): void {
    if (this.#kept) this.#packets.push(packet);
  }

  finish(): void {
    this.#finished = true;
  }

  /** Lets go of the voice. */
  forget(): void {
    this.#packets = [];
    this.#kept = false;
  }
}

/** The last bursts, heard and own, for saying them again and for those that wait for their turn. */
export class Memory {
  #recordings: Recording[] = [];

  /** `forgotten` is called with the key of a burst that had to make room. */
  constructor(private readonly forgotten: (key: string) => void) {}

  /** Begins a recording; the oldest ones make room for it. */
  record(key: string, channel: string, frameMs: number): Recording {
    const recording = new Recording(key, channel, frameMs);
    this.#recordings.push(recording);
    this.#makeRoom();
    return recording;
  }

  find(key: string): Recording | undefined {
    return this.#recordings.find((recording) => recording.key === key);
  }

  /** Forgets everything, at log-out. */
  clear(): void {
    for (const recording of this.#recordings.splice(0)) this.#forget(recording);
  }

  #makeRoom(): void {
    let voice = this.#recordings.reduce((sum, { length }) => sum + length, 0);
    while (this.#recordings.length > BURSTS || (voice > VOICE && this.#recordings.length > 1)) {
      const oldest = this.#recordings.shift();
      if (!oldest) return;
      voice -= oldest.length;
      this.#forget(oldest);
    }
  }

  #forget(recording: Recording): void {
    recording.forget();
    this.forgotten(recording.key);
  }
}
