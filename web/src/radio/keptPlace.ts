import { EPOCH } from '../gen/limits';

/** What a page that is loaded again may know of its place: never the cell. */
export interface KeptPlace {
  /** The stamp of the last cell, which only the server can read; and whether one was taken back in this epoch. */
  read(): { stamp?: string; waits: boolean };
  write(stamp: string): void;
  /** The cell was taken back; the epoch ends in so many ms. */
  takenBack(epochInMs: number): void;
  forget(): void;
}

const KEY = 'tenfour.place';

/** In the storage of this tab, which ends with it. A browser that stores nothing starts afresh each time. */
export const sessionPlace: KeptPlace = {
  read: () => {
    try {
      const { stamp, until } = JSON.parse(sessionStorage.getItem(KEY) ?? '{}');
      const left = until - Date.now();
      return { ...(typeof stamp === 'string' && { stamp }), waits: left > 0 && left <= EPOCH };
    } catch {
      return { waits: false };
    }
  },
  write: (stamp) => keep({ stamp }),
  takenBack: (epochInMs) => keep({ until: Date.now() + epochInMs }),
  forget: () => keep(null),
};

function keep(kept: object | null): void {
  try {
    if (kept) sessionStorage.setItem(KEY, JSON.stringify(kept));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Full or forbidden: the next page then says its cell as a first one.
  }
}
