/** What passes between the page, the decoding worker and the playout worklet. */

/**
 * Page to worker. `play` numbers one playing of one burst; a `live` one may catch up in pauses. A packet
 * sounds for `frame` samples, whatever is in it, and `bundle` packets come together.
 */
export type ToDecoder =
  | { type: 'playout'; port: MessagePort }
  | { type: 'begin'; play: number; frame: number; bundle: number; live: boolean }
  | { type: 'packet'; play: number; time: number; lost: boolean; payload: Uint8Array<ArrayBuffer> }
  | { type: 'end'; play: number }
  | { type: 'stop'; play: number };

/** Worker to page: the level curve so far; or that nothing can be decoded. */
export type FromDecoder = { type: 'levels'; play: number; levels: number[] } | { type: 'failed' };

/** Worker to worklet. `frame` and `time` in samples; `frame` is what comes together. */
export type ToPlayout =
  | { type: 'begin'; play: number; frame: number; live: boolean }
  | { type: 'chunk'; play: number; time: number; lost: boolean; pcm: Float32Array<ArrayBuffer> }
  | { type: 'end'; play: number }
  | { type: 'stop'; play: number };

/** Page to worklet: the way to the decoder, once; and whether all sound stands still for a while. */
export type PageToPlayout = { type: 'decoder'; port: MessagePort } | { type: 'hold'; on: boolean };

/** Worklet to worker: samples that have left the queue. */
export type Progress = { type: 'progress'; play: number; played: number };

/** Worklet to page. The last two come only when the page is measured. */
export type FromPlayout =
  | { type: 'finished'; play: number }
  /** Something was thrown: the browser tells the page of that only when it happens in `process`. */
  | { type: 'failed' }
  | { type: 'tap'; pcm: Float32Array<ArrayBuffer> }
  | { type: 'heard'; play: number; time: number; at: number };

/** Page to capture worklet: hand out frames of so many samples, or no more. */
export type ToCapture = { type: 'open'; frame: number } | { type: 'close' };

/** Capture worklet to page. `at` is `Date.now()` at the first sample; `last` answers `close`. */
export type FromCapture = { pcm: Float32Array<ArrayBuffer>; at: number; last: boolean };

/** Whether a worklet shall also measure. */
export interface WorkletOptions {
  measure: boolean;
}
