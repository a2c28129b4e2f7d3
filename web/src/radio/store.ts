import type { Burst, RadioEvent, RadioState } from './model';

/** At most so many bursts are shown on the air. */
const AIR_ROWS = 50;

/** The state that the interface sees: replaced whole at each change, never edited. */
export class Store {
  #state: RadioState;
  readonly #watchers = new Set<(state: RadioState) => void>();
  readonly #listeners = new Set<(event: RadioEvent) => void>();

  constructor(host: string, channel: string) {
    this.#state = {
      me: null,
      self: null,
      host,
      link: { state: 'connecting' },
      queued: null,
      microphone: 'unasked',
      button: { state: 'no_link' },
      channel,
      tuned: {},
      channels: [],
      recent: [],
      air: [],
      muted: [],
      known: new Map(),
      location: { state: 'not_shared' },
      ranges: { tx: 'unlimited', rx: 'unlimited' },
      soundBlocked: false,
      trouble: null,
      notice: null,
    };
  }

  get state(): RadioState {
    return this.#state;
  }

  /** Calls back at once and after every change. */
  subscribe(run: (state: RadioState) => void): () => void {
    this.#watchers.add(run);
    run(this.#state);
    return () => this.#watchers.delete(run);
  }

  on(run: (event: RadioEvent) => void): () => void {
    this.#listeners.add(run);
    return () => this.#listeners.delete(run);
  }

  set(change: Partial<RadioState>): void {
    this.#state = { ...this.#state, ...change };
    tell(this.#watchers, this.#state);
  }

  emit(event: RadioEvent): void {
    tell(this.#listeners, event);
  }

  /** Adds a burst as the newest row. */
  addBurst(burst: Burst): void {
    this.set({ air: [...this.#state.air, burst].slice(-AIR_ROWS) });
  }

  /** Changes one row, if it is still shown. */
  setBurst(key: string, change: Partial<Burst>): void {
    if (!this.#state.air.some((burst) => burst.key === key)) return;
    this.set({
      air: this.#state.air.map((burst) => (burst.key === key ? { ...burst, ...change } : burst)),
    });
  }

  burst(key: string): Burst | undefined {
    return this.#state.air.find((burst) => burst.key === key);
  }
}

/** One who throws keeps the news from nobody else, nor the radio from its work; the page tells of it. */
function tell<News>(all: Set<(news: News) => void>, news: News): void {
  for (const run of all) {
    try {
      run(news);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
