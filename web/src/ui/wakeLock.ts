/** Keeps the screen awake while the radio is tuned: a page in a dark screen hears nothing. */

export class WakeLock {
  #lock: WakeLockSentinel | null = null;
  #wanted = false;

  /** Wants the screen awake, or no longer. Call again when the page comes back into view. */
  want(on: boolean): void {
    this.#wanted = on;
    if (!on) {
      void this.#lock?.release().catch(() => undefined);
      this.#lock = null;
    } else if (!this.#lock || this.#lock.released) {
      void this.#take();
    }
  }

  async #take(): Promise<void> {
    if (!('wakeLock' in navigator) || document.visibilityState !== 'visible') return;
    try {
      const lock = await navigator.wakeLock.request('screen');
      if (this.#wanted) this.#lock = lock;
      else await lock.release();
    } catch {
      // Low battery or not allowed: the radio works until the screen goes dark.
    }
  }
}
