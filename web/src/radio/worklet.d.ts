/** The global scope of an AudioWorklet, which TypeScript's libraries leave out. */

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
  constructor(options?: AudioWorkletNodeOptions);
}

declare function registerProcessor(
  name: string,
  processor: new (options: AudioWorkletNodeOptions) => AudioWorkletProcessor,
): void;

/** Rate of the context, in Hz. */
declare const sampleRate: number;
