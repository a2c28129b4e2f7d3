/** One value of a level curve stands for so many samples at first: 100 ms. */
const STEP = 4_800;
/** A curve has at most so many values. */
const VALUES = 100;
/** Quieter than this, in dB below full scale, is drawn as nothing. */
const FLOOR = 50;

/** How loud samples are, 0..1 on a scale of decibels. */
export function level(sumOfSquares: number, samples: number): number {
  if (samples === 0 || sumOfSquares <= 0) return 0;
  const decibels = 10 * Math.log10(sumOfSquares / samples);
  return Math.min(1, Math.max(0, (decibels + FLOOR) / FLOOR));
}

/** The level curve of a burst: when it grows too long, neighbours are merged. */
export class LevelCurve {
  #values: number[] = [];
  #step = STEP;
  #sum = 0;
  #samples = 0;

  /** One value for each `STEP` samples, or for a multiple of that in a long burst. */
  get values(): number[] {
    return [...this.#values];
  }

  /** Adds samples; true when the curve has a new value. */
  add(pcm: Float32Array): boolean {
    let grown = false;
    for (const sample of pcm) {
      this.#sum += sample * sample;
      this.#samples += 1;
      if (this.#samples === this.#step) {
        this.#push();
        grown = true;
      }
    }
    return grown;
  }

  #push(): void {
    this.#values.push(level(this.#sum, this.#samples));
    this.#sum = 0;
    this.#samples = 0;
    if (this.#values.length <= VALUES) return;
    const merged: number[] = [];
    for (let i = 0; i < this.#values.length; i += 2) {
      merged.push(Math.max(this.#values[i] ?? 0, this.#values[i + 1] ?? 0));
    }
    this.#values = merged;
    this.#step *= 2;
  }
}
