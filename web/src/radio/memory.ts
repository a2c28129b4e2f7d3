import type { Clock } from './clock';
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
/** Voice that is kept at most, in bytes. */
const BYTES = 8 * 1024 * 1024;
/** A burst is forgotten so long after the last of it came, in ms. */
const TIME = 5 * 60_000;

/** The packets of one burst, in memory only. */
export class Recording {
  #packets: Packet[] = [];
  #finished = false;
  #kept = true;
  /** Waits to be played: it is not too old. */
  waits = false;
  bytes = 0;
  touched: number;
  /** When its first packet came, in ms. */
  came: number | undefined;

  constructor(
    readonly key: string,
    readonly channel: string,
    readonly frameMs: number,
    private readonly clock: Clock,
  ) {
    this.touched = clock.now();
  }

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
    this.touched = this.clock.now();
    this.came ??= this.touched;
    if (!this.#kept) return;
    this.#packets.push(packet);
    this.bytes += packet.payload.length;
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

  /** `forgotten` is called with the key of a burst that had to make room, or was too old. */
  constructor(
    private readonly clock: Clock,
    private readonly forgotten: (key: string) => void,
  ) {}

  /** Begins a recording; the oldest ones make room for it. */
  record(key: string, channel: string, frameMs: number): Recording {
    const recording = new Recording(key, channel, frameMs, this.clock);
    this.#recordings.push(recording);
    this.#makeRoom();
    this.#watch(recording);
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
    const all = this.#recordings;
    let bytes = all.reduce((sum, one) => sum + one.bytes, 0);
    while (all.length > BURSTS || (bytes > BYTES && all.length > 1)) {
      const oldest = all.shift();
      if (!oldest) return;
      bytes -= oldest.bytes;
      this.#forget(oldest);
    }
  }

  #watch(recording: Recording): void {
    if (!recording.kept) return;
    const now = this.clock.now();
    if (recording.waits) recording.touched = now;
    const left = recording.touched + TIME - now;
    if (left > 0) this.clock.after(left, () => this.#watch(recording));
    else {
      this.#recordings = this.#recordings.filter((one) => one !== recording);
      this.#forget(recording);
    }
  }

  #forget(recording: Recording): void {
    recording.forget();
    this.forgotten(recording.key);
  }
}
