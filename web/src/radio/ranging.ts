import type { ClientMessage } from '../gen/ClientMessage';
import type { Code } from '../gen/Code';
import type { Ranges } from '../gen/Ranges';
import { areUnlimited, sameRanges, UNLIMITED } from './range';

/** Whether a press can go out: at once, or as soon as what it waits for is there; else why not. */
export type Way = 'open' | 'wait' | Code;

/** How far the person wishes to reach and hear, and what the server has of that. As `core::radio::ranging`. */
export class Ranging {
  /** What was chosen. Nothing but the person changes it. */
  wished: Ranges = UNLIMITED;
  /** What the server said last on this connection. */
  #have: Ranges = UNLIMITED;
  /** Sent and not answered: one at a time. */
  #asked: Ranges | null = null;

  constructor(private readonly send: (message: ClientMessage) => void) {}

  get isAsked(): boolean {
    return this.#asked !== null;
  }

  /** The server has what is wished. */
  get inForce(): boolean {
    return !this.#asked && sameRanges(this.#have, this.wished);
  }

  /** A connection begins, with or without a cell: what its `hello` says. */
  hello(located: boolean): Ranges | null {
    this.lost();
    if (located && !areUnlimited(this.wished)) this.#asked = this.wished;
    return this.#asked;
  }

  /** Sends what is wished, if the server can take it: limited ranges need a cell. */
  sync(located: boolean): void {
    if (this.#asked || this.inForce || !(located || areUnlimited(this.wished))) return;
    this.#asked = this.wished;
    this.again();
  }

  /** Sends once more what was not taken. */
  again(): void {
    if (this.#asked) this.send({ type: 'range', ...this.#asked });
  }

  ranged({ tx, rx }: Ranges): void {
    [this.#have, this.#asked] = [{ tx, rx }, null];
  }

  /** The server has no cell, so both are unlimited. */
  lost(): void {
    [this.#have, this.#asked] = [UNLIMITED, null];
  }

  /** Without a cell at the server no range holds, whatever an earlier answer said; `refused` says why. */
  way(located: boolean, refused: Code | null): Way {
    const { tx } = this.wished;
    if (tx === 'unlimited') return 'open';
    if (refused) return refused;
    const has = located && this.#have.tx === tx;
    if (this.#asked && (this.#asked.tx !== tx || !has)) return 'wait';
    return has ? 'open' : 'location_needed';
  }
}
