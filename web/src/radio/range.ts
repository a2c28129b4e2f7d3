import { RANGES } from '../gen/limits';
import type { Range } from '../gen/Range';
import type { Ranges } from '../gen/Ranges';

/** The steps of range, from the shortest: protocol `Range::ALL`. */
export const STEPS: readonly Range[] = RANGES;

/** What somebody has who shares no place. */
export const UNLIMITED: Ranges = { tx: 'unlimited', rx: 'unlimited' };

export function sameRanges(a: Ranges, b: Ranges): boolean {
  return a.tx === b.tx && a.rx === b.rx;
}

export function areUnlimited(ranges: Ranges): boolean {
  return sameRanges(ranges, UNLIMITED);
}

/** The ranges in `stored`, whatever it is; null when they are none. */
export function asRanges(stored: unknown): Ranges | null {
  if (typeof stored !== 'object' || stored === null) return null;
  const { tx, rx } = stored as Partial<Record<'tx' | 'rx', unknown>>;
  return isRange(tx) && isRange(rx) ? { tx, rx } : null;
}

function isRange(thing: unknown): thing is Range {
  return STEPS.some((step) => step === thing);
}
