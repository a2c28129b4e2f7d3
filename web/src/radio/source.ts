import type { FrameTime } from '../gen/FrameTime';

/** Why there is no voice to send. */
export type Fault = 'refused' | 'missing' | 'unsupported';

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
  /** Packets of `frameMs` go to `sink` from now on. */
  begin(frameMs: FrameTime, sink: Sink): void;
  /** Resolves when the last packet has gone to the sink. */
  finish(): Promise<void>;
}
