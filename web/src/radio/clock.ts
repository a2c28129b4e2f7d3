/** Time and timers, so that tests can bring their own. */
export interface Clock {
  /** Milliseconds that only go forward. */
  now(): number;
  /** Calls `run` once after `ms`; returns how to cancel. */
  after(ms: number, run: () => void): () => void;
}

export const browserClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
