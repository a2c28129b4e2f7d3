import type { FrameTime } from '../gen/FrameTime';

const FAULTS = ['refused', 'missing', 'unsupported', 'interrupted', 'broken'] as const;

/** Why there is no voice to send: `model.ts` says what each is. */
export type Fault = (typeof FAULTS)[number];

/** The fault that was thrown. What nobody foresaw is one too: the button has words for each, and for nothing else. */
export function asFault(thrown: unknown): Fault {
  return FAULTS.find((fault) => fault === thrown) ?? 'broken';
}

/** Where the voice of a microphone goes while a burst is open. */
export interface Sink {
  /** Sound as it was taken, for the level curve. */
  pcm(pcm: Float32Array): void;
  /** One Opus packet. `at` is `Date.now()` at its first sample. */
  packet(payload: Uint8Array<ArrayBuffer>, at: number): void;
}

/** A microphone with its encoder. */
export interface Source {
  /** True when a burst can begin at once. */
  readonly ready: boolean;
  /** It is heard so long after the release, in ms: the last syllable is still on its way. */
  readonly hang: number;
  /** Asks for the microphone and warms it up. Rejects with a `Fault`. */
  open(): Promise<void>;
  /** Packets of `frameMs` go to `sink` from now on. May throw. */
  begin(frameMs: FrameTime, sink: Sink): void;
  /** Resolves when the last packet has gone to the sink. May reject. */
  finish(): Promise<void>;
}
