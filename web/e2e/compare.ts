/** 20 ms at 48 kHz. */
const WINDOW = 960;
/** Places are looked for in steps of 5 ms. */
const HOP = WINDOW / 4;
/** Voice is aligned piece by piece, 200 ms each: a playout stretches and shortens time. */
const PIECE = 10;
/** A piece lies at most so far from where the whole fits best, in steps: 500 ms. */
const REACH = 100;
/** So many places are tried. */
const PLACES = 6;
/** What a step between neighbouring pieces costs, as a share of the voice's energy: sound that waited is usual. */
const LATER = 0.0005;
/** Sound that came sooner is dear, or a loss would be filled with its neighbours. */
const SOONER = 0.003;

/** Where a voice was found in a recording. */
export interface Found {
  /** Correlation of the 20 ms energy envelopes, aligned, -1..1. */
  correlation: number;
  /** Where the voice begins in the recording, in samples. */
  at: number;
  /** Level of the first and last 100 ms of speech against the original's, when both have one level. */
  first: number;
  last: number;
  /** How far the pieces are apart from where they would be in a rigid voice, in ms. */
  drift: number;
}

/** Finds `voice` in `recording` by its energy envelope: of the likely places, the one where it is best once aligned. */
export function find(voice: Float32Array, recording: Float32Array): Found {
  const wanted = envelope(voice, WINDOW);
  const heard = envelope(recording, HOP);
  return likely(wanted, heard)
    .map((place) => aligned(wanted, heard, place))
    .reduce((best, found) => (found.correlation > best.correlation ? found : best));
}

/** The voice as it is found near `place`, with its pieces where each is best. */
function aligned(wanted: Float32Array, heard: Float32Array, place: number): Found {
  const offsets = elastic(wanted, heard, place);
  const there = wanted.map((_, i) => at(heard, place + (offsets[i] ?? 0) + 4 * i));
  const gain = sum(there) / sum(wanted);
  return {
    correlation: correlate(wanted, there),
    at: (place + (offsets[0] ?? 0)) * HOP,
    first: sum(there.subarray(0, 5)) / sum(wanted.subarray(0, 5)) / gain,
    last: sum(there.subarray(-5)) / sum(wanted.subarray(-5)) / gain,
    drift: (Math.max(...offsets) - Math.min(...offsets)) * 5,
  };
}

/**
 * Where the voice as a whole correlates best, in steps, each farther than `REACH` from the others.
 * A voice that was stretched is hardly better where it is than elsewhere, so one place is not enough.
 */
function likely(wanted: Float32Array, heard: Float32Array): number[] {
  const rigid: { place: number; correlation: number }[] = [];
  for (let place = 0; place === 0 || place + 4 * wanted.length <= heard.length; place += 1) {
    const there = wanted.map((_, i) => at(heard, place + 4 * i));
    rigid.push({ place, correlation: correlate(wanted, there) });
  }
  rigid.sort((a, b) => b.correlation - a.correlation);
  const places: number[] = [];
  for (const { place } of rigid) {
    if (places.length === PLACES) break;
    if (places.every((other) => Math.abs(other - place) > REACH)) places.push(place);
  }
  return places;
}

/** How far each window is from `place`, in steps: the cheapest way through all pieces. */
function elastic(wanted: Float32Array, heard: Float32Array, place: number): number[] {
  const whole = wanted.map((_, i) => at(heard, place + 4 * i));
  const gain = sum(whole) / sum(wanted) || 1;
  const energy = wanted.reduce((total, value) => total + value * value, 0);
  const states = 2 * REACH + 1;
  let costs = new Array<number>(states).fill(0);
  const back: number[][] = [];
  const pieces = Math.ceil(wanted.length / PIECE);
  for (let piece = 0; piece < pieces; piece += 1) {
    const [reached, from] = [new Array<number>(states), new Array<number>(states)];
    for (let state = 0; state < states; state += 1) {
      let [cheapest, origin] = [Number.POSITIVE_INFINITY, 0];
      for (let before = 0; before < states; before += 1) {
        const moved = state - before;
        const toll = piece === 0 ? 0 : energy * (moved > 0 ? LATER * moved : -SOONER * moved);
        const cost = (costs[before] ?? 0) + toll;
        if (cost < cheapest) [cheapest, origin] = [cost, before];
      }
      let error = 0;
      for (let i = piece * PIECE; i < Math.min(wanted.length, (piece + 1) * PIECE); i += 1) {
        error += (at(heard, place + state - REACH + 4 * i) / gain - (wanted[i] ?? 0)) ** 2;
      }
      reached[state] = cheapest + error;
      from[state] = origin;
    }
    costs = reached;
    back.push(from);
  }
  let state = costs.indexOf(Math.min(...costs));
  const offsets = new Array<number>(wanted.length);
  for (let piece = pieces - 1; piece >= 0; piece -= 1) {
    offsets.fill(state - REACH, piece * PIECE, Math.min(wanted.length, (piece + 1) * PIECE));
    state = back[piece]?.[state] ?? 0;
  }
  return offsets;
}

function at(values: Float32Array, index: number): number {
  return values[index] ?? 0;
}

/** Root of the mean square of 20 ms, each `hop` samples. */
function envelope(pcm: Float32Array, hop: number): Float32Array {
  const windows = Math.floor((pcm.length - WINDOW) / hop) + 1;
  return Float32Array.from({ length: Math.max(0, windows) }, (_, i) => {
    let energy = 0;
    for (let k = i * hop; k < i * hop + WINDOW; k += 1) energy += (pcm[k] ?? 0) ** 2;
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
