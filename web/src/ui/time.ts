/** Times for people. All input is in milliseconds. */

/** `m:ss`, rounded down: time that has passed. */
export function clock(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Whole seconds, rounded up, never below 0: time that is left. */
export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000));
}

/** Length of a burst: tenths below ten seconds, whole seconds above. */
export function lengthInSeconds(ms: number): string {
  const seconds = ms / 1000;
  return seconds < 9.95 ? seconds.toFixed(1) : String(Math.round(seconds));
}
