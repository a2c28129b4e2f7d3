import type { Radio } from './model';

/** What the end-to-end tests read from a page whose address has `?measure`; nobody else has it. */
export interface Measurements {
  radio: Radio;
  /** From each press to its first voice frame at the socket, in ms. */
  presses: number[];
  /** When the first sample of each sent frame was taken (`Date.now()`), by burst and media time. */
  sent: { burst: number; time: number; at: number }[];
  /** When each frame began to sound in the playout worklet (`Date.now()`). */
  heard: { play: number; time: number; at: number }[];
  /** What goes to the loudspeaker, at 48 kHz. */
  pcm: Float32Array[];
}

declare global {
  interface Window {
    __tenfour?: Measurements;
  }
}

/** Pieces of 100 ms that are kept: ten minutes. */
const PIECES = 6_000;

/** Null unless the page is measured. */
export function measure(radio: Radio) {
  if (!new URLSearchParams(location.search).has('measure')) return null;
  const into: Measurements = { radio, presses: [], sent: [], heard: [], pcm: [] };
  window.__tenfour = into;
  return {
    firstFrame: (pressedAt: number) => {
      into.presses.push(performance.now() - pressedAt);
    },
    sent: (burst: number, time: number, at: number) => {
      into.sent.push({ burst, time, at });
    },
    heard: (play: number, time: number, at: number) => {
      into.heard.push({ play, time, at });
    },
    tap: (pcm: Float32Array) => {
      into.pcm.push(pcm);
      if (into.pcm.length > PIECES) into.pcm.shift();
    },
  };
}
