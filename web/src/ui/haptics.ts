/** Short vibrations, on phones that can. Times in ms. */

export type Touch = 'press' | 'permit' | 'deny' | 'end';

const PATTERNS: Record<Touch, number | number[]> = {
  press: 12,
  permit: 30,
  deny: [60, 40, 60],
  end: 18,
};

export function vibrate(touch: Touch): void {
  try {
    navigator.vibrate?.(PATTERNS[touch]);
  } catch {
    // Some browsers forbid it before the first touch.
  }
}
