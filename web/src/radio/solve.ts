import { workerOf } from './scripts';
import workUrl from './work.worker.ts?worker&url';

/** Page to worker. */
export interface ToWork {
  nonce: Uint8Array;
  user: Uint8Array;
  bits: number;
}

/** Worker to page. */
export type FromWork = { type: 'tried'; tried: number } | { type: 'solved'; solution: number };

/** Work that was begun. */
export interface Solving {
  /** The number; rejects when the browser cannot do it. */
  solution: Promise<number>;
  /** Ends it at once. */
  stop(): void;
}

/**
 * Looks for a number (`work.ts`) beside the page, which stays live. `tell` hears how likely it was to be
 * found by now, 0..1: it may be the next one, or take twice as long.
 */
export function solve({ nonce, user, bits }: ToWork, tell: (share: number) => void): Solving {
  const worker = workerOf(workUrl);
  const solution = new Promise<number>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<FromWork>) => {
      if (data.type === 'solved') resolve(data.solution);
      else tell(shareOf(data.tried, bits));
    };
    worker.onerror = reject;
  });
  const message: ToWork = { nonce, user, bits };
  worker.postMessage(message);
  return { solution, stop: () => worker.terminate() };
}

/** How likely a solution was among so many numbers. */
export function shareOf(tried: number, bits: number): number {
  return 1 - Math.exp(-tried / 2 ** bits);
}
