/** The scale of the range strip: steps at equal distances, from the shortest on the left. */

import type { Range } from '../gen/Range';
import { STEPS } from '../radio/range';

export const LAST = STEPS.length - 1;

export function indexOf(step: Range): number {
  return STEPS.indexOf(step);
}

/** Where a step lies, 0..1. */
export function placeOf(step: Range): number {
  return indexOf(step) / LAST;
}

/** The step next to a place; places beyond the ends are the ends. */
export function stepAt(place: number): Range {
  return stepOf(Math.round(place * LAST));
}

/** Where a key leads from `step`; null for a key that is not the slider's. */
export function stepByKey(step: Range, key: string): Range | null {
  const at = indexOf(step);
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return stepOf(at - 1);
    case 'ArrowRight':
    case 'ArrowUp':
      return stepOf(at + 1);
    case 'PageDown':
      return stepOf(at - 3);
    case 'PageUp':
      return stepOf(at + 3);
    case 'Home':
      return stepOf(0);
    case 'End':
      return stepOf(LAST);
    default:
      return null;
  }
}

function stepOf(index: number): Range {
  return STEPS[Math.min(LAST, Math.max(0, index))] ?? 'unlimited';
}
