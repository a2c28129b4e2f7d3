import { SAMPLE_RATE } from './frame';
import type { Packet } from './memory';

/** A decoder of one Opus stream, such as WebCodecs' `AudioDecoder`. */
export interface Decoder {
  decode(payload: Uint8Array<ArrayBuffer>, time: number): void;
  /** Resolves when everything has come out; also after a failure. */
  flush(): Promise<void>;
  close(): void;
}

export type MakeDecoder = (
  output: (pcm: Float32Array<ArrayBuffer>) => void,
  failed: () => void,
) => Decoder;

export interface DecodingEvents {
  chunk(time: number, lost: boolean, pcm: Float32Array<ArrayBuffer>): void;
  /** Everything has come out. */
  ended(): void;
  /** A decoder failed before it was given anything: the next one would, too. */
  useless(): void;
}

/** Decodes no further ahead of the loudspeaker than this: a long burst stays small in memory. */
const AHEAD = 2 * SAMPLE_RATE;
/** Packets inside the decoder at a time. */
const INSIDE = 16;

/**
 * Decodes one playing of a burst. Output is matched to packets by order, since browsers shift
 * timestamps. A packet that breaks the decoder is a loss; the rest goes to a new one.
 */
export class Decoding {
  readonly #queue: Packet[] = [];
  #inside: Packet[] = [];
  #decoder: Decoder;
  #decoded = 0;
  #played = 0;
  #lossBefore = false;
  #ending = false;
  #flushing = false;
  #closed = false;
  /** Something came out of the present decoder. */
  #gave = false;

  constructor(
    private readonly make: MakeDecoder,
    /** A packet sounds for so many samples at most: else it could play for six times its time. */
    private readonly frame: number,
    private readonly events: DecodingEvents,
  ) {
    this.#decoder = this.#fresh();
  }

  packet(packet: Packet): void {
    this.#queue.push(packet);
    this.#pump();
  }

  end(): void {
    this.#ending = true;
    this.#pump();
  }

  /** `samples` have left the playout queue. */
  played(samples: number): void {
    this.#played = samples;
    this.#pump();
  }

  close(): void {
    this.#closed = true;
    this.#decoder.close();
  }

  #fresh(): Decoder {
    this.#gave = false;
    const decoder = this.make(
      (pcm) => this.#decoder === decoder && this.#output(pcm),
      () => this.#decoder === decoder && this.#failed(),
    );
    return decoder;
  }

  #pump(): void {
    if (this.#closed) return;
    while (this.#inside.length < INSIDE && this.#decoded - this.#played < AHEAD) {
      const packet = this.#queue.shift();
      if (!packet) break;
      this.#inside.push(packet);
      this.#decoder.decode(packet.payload, packet.time);
    }
    if (this.#ending && this.#queue.length === 0 && !this.#flushing) this.#flush();
  }

  #flush(): void {
    this.#flushing = true;
    const decoder = this.#decoder;
    void decoder.flush().then(() => {
      if (this.#closed || decoder !== this.#decoder) return;
      this.close();
      this.events.ended();
    });
  }

  #output(sound: Float32Array<ArrayBuffer>): void {
    const packet = this.#inside.shift();
    if (!packet || this.#closed) return;
    this.#gave = true;
    const pcm = sound.subarray(0, this.frame);
    this.#decoded += pcm.length;
    this.events.chunk(packet.time, packet.lost || this.#lossBefore, pcm);
    this.#lossBefore = false;
    this.#pump();
  }

  /** The oldest packet inside is the bad one. */
  #failed(): void {
    if (this.#closed) return;
    if (this.#inside.length === 0 && !this.#gave) {
      this.#closed = true;
      this.events.useless();
      return;
    }
    const [, ...rest] = this.#inside;
    this.#queue.unshift(...rest);
    this.#inside = [];
    this.#lossBefore = true;
    this.#flushing = false;
    this.#decoder = this.#fresh();
    this.#pump();
  }
}
