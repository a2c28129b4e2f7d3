const FIRST = 250;
const LONGEST = 10_000;

/**
 * Waits between tries: 0.25 s, doubling to 10 s, each shortened by up to a half so that
 * clients of one server do not come back in step. `random` is 0..1.
 */
export function backoff(attempt: number, random: number): number {
  const full = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 16));
  return full * (1 - random / 2);
}
