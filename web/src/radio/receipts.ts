import type { BurstNo } from '../gen/BurstNo';
import { PRESSES_WAITING } from '../gen/limits';
import type { ServerMessage } from '../gen/ServerMessage';
import type { Clock } from './clock';
import type { Part } from './model';
import type { Own } from './own';

export type Receipt = Extract<ServerMessage, { type: 'receipt' }>;

/** The receipt comes within this time after the release, or never, in ms. */
const PATIENCE = 10_000;

/** Bursts that went out and have no receipt, and those that the link cut: theirs may come after a resume. */
export class Receipts {
  readonly #due = new Map<BurstNo, Own>();
  #cut = new Map<BurstNo, Own>();

  constructor(
    private readonly clock: Clock,
    /** No receipt came. */
    private readonly missing: (own: Own) => void,
  ) {}

  /** No more may go out before a receipt has come. */
  get isFull(): boolean {
    return this.#due.size >= PRESSES_WAITING;
  }

  add(own: Own): void {
    this.#due.set(own.no, own);
  }

  of(burst: BurstNo): Own | undefined {
    return this.#due.get(burst);
  }

  /** All of the burst was sent. */
  sent({ no }: Own): void {
    this.clock.after(PATIENCE, () => {
      const own = this.#take(this.#due, no);
      if (own) this.missing(own);
    });
  }

  /** The burst that the receipt is for, if it is still waited for. */
  take({ burst, late }: Receipt): Own | undefined {
    return this.#take(late ? this.#cut : this.#due, burst);
  }

  /** The connection ended, and these bursts with it. */
  linkLost(): Own[] {
    const lost = new Map(this.#due);
    if (lost.size > 0) this.#cut = lost;
    this.#due.clear();
    return [...lost.values()];
  }

  #take(from: Map<BurstNo, Own>, burst: BurstNo): Own | undefined {
    const own = from.get(burst);
    from.delete(burst);
    return own;
  }
}

/** What others could hear of a burst, if it is worth a word: not all of it, or after the link had cut it. */
export function partOf(own: Own, receipt: Receipt): Part | undefined {
  const { late = false, outcome } = receipt;
  const frames = outcome === 'aired' ? receipt.frames : 0;
  if (!late && (outcome === 'refused' || frames >= own.frames)) return;
  return { heard: frames * own.frameMs, length: own.frames * own.frameMs, late };
}
