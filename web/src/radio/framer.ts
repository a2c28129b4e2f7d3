import { SAMPLE_RATE } from './frame';

/** Takes one complete frame. */
export type OnFrame = (pcm: Float32Array<ArrayBuffer>) => void;

/**
 * Cuts the sound of a microphone into frames at 48 kHz. It always fills a frame, so that
 * the first one after a press is complete at once or in less than its length.
 */
export class Framer {
  #frame = new Float32Array(960);
  #filled = 0;
  /** Input samples for one output sample. */
  readonly #step: number;
  /** Where the next output sample lies, counted from the input sample `#before`. */
  #position = 0;
  #before = 0;

  /** `rate` of the microphone, in Hz. */
  constructor(
    rate: number,
    private readonly complete: OnFrame,
  ) {
    this.#step = rate / SAMPLE_RATE;
  }

  /** Frames of `samples` from now on; what is in the present one is kept if it fits. */
  resize(samples: number): void {
    if (samples === this.#frame.length) return;
    const frame = new Float32Array(samples);
    frame.set(this.#frame.subarray(0, Math.min(this.#filled, samples - 1)));
    this.#filled = Math.min(this.#filled, samples - 1);
    this.#frame = frame;
  }

  /** Adds what the microphone gave. */
  add(input: Float32Array): void {
    if (this.#step === 1) for (const sample of input) this.#put(sample);
    else for (const sample of input) this.#resample(sample);
  }

  /** Completes the present frame with silence. */
  cut(): void {
    this.#frame.fill(0, this.#filled);
    this.#emit();
  }

  /** Linear: a microphone that does not run at 48 kHz is rare, and this is voice. */
  #resample(sample: number): void {
    while (this.#position < 1) {
      this.#put(this.#before + (sample - this.#before) * this.#position);
      this.#position += this.#step;
    }
    this.#position -= 1;
    this.#before = sample;
  }

  #put(sample: number): void {
    this.#frame[this.#filled] = sample;
    this.#filled += 1;
    if (this.#filled === this.#frame.length) this.#emit();
  }

  #emit(): void {
    const frame = this.#frame;
    this.#frame = new Float32Array(frame.length);
    this.#filled = 0;
    this.complete(frame);
  }
}
