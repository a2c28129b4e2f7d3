/** 20 ms at 48 kHz. */
const WINDOW = 960;

/** Where a voice was found in a recording. */
export interface Found {
  /** Correlation of the 20 ms energy envelopes at the best place, -1..1. */
  correlation: number;
  /** That place in the recording, in samples. */
  at: number;
  /** Energy of the first and last 100 ms of speech against the original's, after the whole was brought to one level. */
  first: number;
  last: number;
}

/** Finds `voice` in `recording` by its energy envelope, to 5 ms. */
export function find(voice: Float32Array, recording: Float32Array): Found {
  const wanted = envelope(voice, 0);
  let best: Found = { correlation: -1, at: 0, first: 0, last: 0 };
  for (let shift = 0; shift < WINDOW; shift += WINDOW / 4) {
    const heard = envelope(recording, shift);
    for (let i = 0; i + wanted.length <= heard.length; i += 1) {
      const piece = heard.subarray(i, i + wanted.length);
      const correlation = correlate(wanted, piece);
      if (correlation <= best.correlation) continue;
      const gain = sum(piece) / sum(wanted);
      best = {
        correlation,
        at: shift + i * WINDOW,
        first: sum(piece.subarray(0, 5)) / sum(wanted.subarray(0, 5)) / gain,
        last: sum(piece.subarray(-5)) / sum(wanted.subarray(-5)) / gain,
      };
    }
  }
  return best;
}

/** Root of the mean square of each 20 ms. */
function envelope(pcm: Float32Array, from: number): Float32Array {
  const windows = Math.floor((pcm.length - from) / WINDOW);
  return Float32Array.from({ length: Math.max(0, windows) }, (_, i) => {
    let energy = 0;
    for (let k = from + i * WINDOW; k < from + (i + 1) * WINDOW; k += 1)
      energy += (pcm[k] ?? 0) ** 2;
    return Math.sqrt(energy / WINDOW);
  });
}

function correlate(a: Float32Array, b: Float32Array): number {
  const [meanA, meanB] = [sum(a) / a.length, sum(b) / b.length];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    const [x, y] = [(a[i] ?? 0) - meanA, (b[i] ?? 0) - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb || 1);
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}

export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
