/**
 * The dial: shows at once where it points, but tunes at most once in a while, so that turning it
 * fast does not spend the server's patience on channels one only passes.
 */

/** Pause after a step in which further steps only move the dial, in ms. */
const SETTLE = 250;

export class Dial {
  #pending: string | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly select: (channel: string) => void,
    private readonly show: (pending: string | null) => void,
  ) {}

  /** Turns to a channel. */
  turn(channel: string): void {
    if (this.#timer === null) {
      this.select(channel);
    } else {
      clearTimeout(this.#timer);
      this.#pending = channel;
      this.show(channel);
    }
    this.#timer = setTimeout(() => this.#settle(), SETTLE);
  }

  /** Forgets a turn that has not been made yet. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pending = null;
    this.show(null);
  }

  #settle(): void {
    const channel = this.#pending;
    this.stop();
    if (channel !== null) this.select(channel);
  }
}
