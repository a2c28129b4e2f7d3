import type { ClientMessage } from '../gen/ClientMessage';
import type { GeoCell } from '../gen/GeoCell';
import type { Ranges } from '../gen/Ranges';
import type { Refusal } from '../gen/Refusal';
import type { ServerMessage } from '../gen/ServerMessage';
import type { Clock } from './clock';
import type { Hello } from './link';
import type { Location } from './model';
import type { Permission, Position, Reading } from './position';
import { areUnlimited, sameRanges, UNLIMITED } from './range';

type Located = Extract<ServerMessage, { type: 'located' }>;

export interface PlaceOptions {
  clock: Clock;
  position: Position;
  /** False when the link is not up. */
  send(message: ClientMessage): boolean;
  changed(location: Location, ranges: Ranges): void;
  /** The server has taken these ranges. */
  ranged(ranges: Ranges): void;
}

/** Places change at global moments so far apart, in ms: protocol `EPOCH`. */
export const EPOCH = 15 * 60_000;
/** A new cell is said so long before the moment, in ms: protocol `EPOCH_LEAD`. */
export const EPOCH_LEAD = 10_000;
/** The position is read so long before the new cell is said, in ms: longer than a reading takes. */
export const READ_AHEAD = 20_000;
/** A handle that is being moved is sent when it has rested so long, in ms. */
const SETTLE = 250;
/** A message that came too fast is sent again after so many ms, if the server names no time. */
const AGAIN = 1_000;

/**
 * Which cell is said to the server, and when: docs/protocol.md, 2.2. A move is said shortly before an
 * epoch boundary only, and until then each connection says the cell that was said before. What is known
 * of a place is in here, in memory, and nowhere else.
 */
export class Place {
  /** In force, or so from the next connection on. */
  #cell: GeoCell | null = null;
  /** Shows the server that `#cell` is no move. */
  #stamp: string | undefined;
  /** Follows `#cell` at the boundary. */
  #next: GeoCell | null = null;
  /** The server keeps `#next` until the boundary, and will say when it is in force. */
  #deferred = false;
  /** The boundary of `#next` is over. */
  #due = false;
  /** Taken back in this epoch: a cell said now would be a move at a moment of one's own. */
  #quiet = false;
  #boundary: number | null = null;
  #wanted: Ranges = UNLIMITED;
  #country: string | undefined;
  /** What there is to tell while nothing is shared. */
  #without: Location = { state: 'not_shared' };

  /** This connection: up, what it was told (undefined: to be told again), and whether it ever had a cell. */
  #up = false;
  #toldCell: GeoCell | null | undefined = null;
  #toldRanges: Ranges | undefined = UNLIMITED;
  #spoken = false;
  #unanswered = { cells: 0, ranges: 0 };

  /** Readings that were begun; the answer to an older one counts no more. */
  #readings = 0;
  #cancelBoundary = () => {};
  #cancelReading = () => {};
  #cancelSettle = () => {};
  #cancelAgain = () => {};

  constructor(private readonly options: PlaceOptions) {}

  /** In a user gesture: asks the browser, shares the cell, and takes `ranges`. */
  async share(ranges: Ranges): Promise<void> {
    if (this.#isShared) return this.setRanges(ranges);
    if (this.#without.state === 'asking') return;
    const current = this.#begin();
    this.#set({ state: 'asking' });
    const reading = await this.options.position.read();
    if (!current()) return;
    if ('cell' in reading) this.#take(reading.cell, ranges);
    else this.#set(without(reading.fault));
  }

  /** The same at the next visit: only if the browser asks nobody. */
  async restore(ranges: Ranges): Promise<void> {
    if ((await this.options.position.permission()) === 'granted') await this.share(ranges);
  }

  /** Takes the cell back at once; ranges become unlimited. */
  unshare(): void {
    this.#drop({ state: 'not_shared' });
  }

  /** Without a cell there is no range but unlimited. */
  setRanges(ranges: Ranges): void {
    if (!this.#isShared) return;
    this.#wanted = ranges;
    this.#cancelSettle();
    this.#cancelSettle = this.options.clock.after(SETTLE, () => this.#sync());
    this.#show();
  }

  /** Somebody presses: a range that was just set holds for this burst. */
  flush(): void {
    this.#cancelSettle();
    this.#sync();
  }

  /** The browser's permission is another one. */
  permitted(permission: Permission): void {
    if (permission !== 'granted' && this.#isShared) this.#revoked(permission === 'denied');
    else if (permission !== 'denied' && this.#without.state === 'denied') {
      this.#set({ state: 'not_shared' });
    }
  }

  /** What a connection begins with. */
  hello(): Pick<Hello, 'place' | 'range'> {
    this.#pass();
    this.#toldCell = this.#cell;
    this.#toldRanges = this.#ranges;
    this.#spoken = this.#cell !== null;
    if (!this.#cell) return {};
    const place = this.#stamp ? { cell: this.#cell, stamp: this.#stamp } : { cell: this.#cell };
    return areUnlimited(this.#wanted) ? { place } : { place, range: this.#wanted };
  }

  welcomed(epochInMs: number): void {
    this.#up = true;
    this.#unanswered = { cells: 0, ranges: 0 };
    this.#setBoundary(epochInMs);
    this.#sync();
    this.#show();
  }

  /** The connection ended. */
  lost(): void {
    this.#up = false;
    this.#spoken = false;
    this.#deferred = false;
    this.#cancelAgain();
    if (this.#due) this.#promote();
  }

  located({ shared, country, stamp, effective_in_ms }: Located): void {
    this.#unanswered.cells = Math.max(0, this.#unanswered.cells - 1);
    // What was said since has an answer of its own.
    if (this.#unanswered.cells > 0) return;
    if (effective_in_ms !== undefined) {
      this.#setBoundary(effective_in_ms);
      // The server had an earlier cell of this connection where we knew of none.
      if (this.#next === null) {
        [this.#next, this.#cell, this.#toldRanges] = [this.#cell, null, UNLIMITED];
      }
      this.#deferred = true;
    } else if (!shared) {
      [this.#toldCell, this.#toldRanges] = [null, UNLIMITED];
      if (this.#isShared) this.#drop({ state: 'not_shared' });
    } else if (this.#isShared) {
      if (this.#deferred || this.#due || this.#cell === null) this.#promote();
      // One that comes without is for the cell that was known already.
      this.#stamp = stamp ?? this.#stamp;
      this.#country = country;
    }
    this.#sync();
    this.#show();
  }

  ranged({ tx, rx }: Ranges): void {
    this.#unanswered.ranges = Math.max(0, this.#unanswered.ranges - 1);
    if (this.#unanswered.ranges === 0) this.#toldRanges = { tx, rx };
    this.options.ranged({ tx, rx });
  }

  /** A message was refused. True when it needs no notice: the location tells it, or it is sent again. */
  refused({ code, channel, retry_after_ms }: Refusal): boolean {
    if (code === 'too_many_messages' && channel === undefined) return this.#again(retry_after_ms);
    if (code === 'location_needed') {
      this.#unanswered.ranges = 0;
      this.#toldRanges = UNLIMITED;
      if (this.#cell !== null) this.#drop({ state: 'not_shared', lost: code });
      return true;
    }
    if (code !== 'cell_refused' && code !== 'too_many_moves') return false;
    this.#unanswered.cells = Math.max(0, this.#unanswered.cells - 1);
    if (this.#cell !== null && this.#next !== null) {
      // A move was refused: the server keeps the cell it had.
      [this.#next, this.#toldCell, this.#deferred] = [null, this.#cell, false];
      this.#show();
      return false;
    }
    [this.#toldCell, this.#toldRanges, this.#spoken] = [null, UNLIMITED, false];
    this.#drop({ state: 'not_shared', lost: code });
    return true;
  }

  /** Log-out. */
  forget(): void {
    this.#drop({ state: 'not_shared' });
    this.#quiet = false;
    this.#boundary = null;
    this.#cancelBoundary();
    this.#cancelReading();
  }

  get #isShared(): boolean {
    return this.#cell !== null || this.#next !== null;
  }

  /** Those in force. */
  get #ranges(): Ranges {
    return this.#cell === null ? UNLIMITED : this.#wanted;
  }

  #take(cell: GeoCell, ranges: Ranges): void {
    this.#wanted = ranges;
    this.#without = { state: 'not_shared' };
    // After an earlier cell this one waits for the boundary; the server sees to that on this connection.
    if (this.#quiet || this.#spoken) this.#next = cell;
    else this.#cell = cell;
    this.#sync();
    this.#show();
  }

  #revoked(denied: boolean): void {
    this.#drop(
      denied ? { state: 'denied', lost: 'revoked' } : { state: 'not_shared', lost: 'revoked' },
    );
  }

  /** Nothing is shared from now on, because of `why`. */
  #drop(why: Location): void {
    this.#begin();
    this.#quiet ||= this.#cell !== null && this.#boundary !== null;
    [this.#cell, this.#next, this.#stamp, this.#country] = [null, null, undefined, undefined];
    [this.#deferred, this.#due] = [false, false];
    this.#cancelSettle();
    this.#sync();
    this.#set(why);
  }

  /** Tells the connection what it does not know yet. */
  #sync(): void {
    if (!this.#up) return;
    // Where no cell was before, the next one would be in force at once: it waits on our side.
    const cell = (this.#spoken ? this.#next : null) ?? this.#cell;
    if (cell !== this.#toldCell && this.options.send({ type: 'locate', cell })) {
      this.#toldCell = cell;
      this.#unanswered.cells += 1;
      // With the cell go limited ranges, and the server says so.
      if (cell === null) this.#toldRanges = UNLIMITED;
      else this.#spoken = true;
    }
    const ranges = this.#ranges;
    if (this.#toldRanges && sameRanges(ranges, this.#toldRanges)) return;
    if (this.options.send({ type: 'range', ...ranges })) {
      this.#toldRanges = ranges;
      this.#unanswered.ranges += 1;
    }
  }

  /** Messages came too fast: what is unanswered is said again. */
  #again(after: number | undefined): boolean {
    const { cells, ranges } = this.#unanswered;
    if (cells === 0 && ranges === 0) return false;
    this.#unanswered = { cells: 0, ranges: 0 };
    this.#cancelAgain = this.options.clock.after(after ?? AGAIN, () => {
      if (cells > 0) this.#toldCell = undefined;
      if (ranges > 0) this.#toldRanges = undefined;
      this.#sync();
    });
    return true;
  }

  /** The next boundary is `inMs` away. A clock that only goes forward keeps it: a wall clock may jump. */
  #setBoundary(inMs: number): void {
    const { clock } = this.options;
    this.#boundary = clock.now() + inMs;
    this.#cancelBoundary();
    this.#cancelReading();
    this.#cancelBoundary = clock.after(inMs, () => this.#pass());
    const readingIn = inMs - EPOCH_LEAD - READ_AHEAD;
    this.#cancelReading =
      readingIn < 0 ? () => {} : clock.after(readingIn, () => void this.#readAgain());
  }

  /** Does what is due at the boundary, if it is over; the timer may be late. */
  #pass(): void {
    const { clock } = this.options;
    if (this.#boundary === null || clock.now() < this.#boundary) return;
    this.#quiet = false;
    // On a connection that was told, it is the server who says when.
    if (this.#up && this.#next !== null && this.#next === this.#toldCell) this.#due = true;
    else this.#promote();
    this.#setBoundary(EPOCH - ((clock.now() - this.#boundary) % EPOCH));
    this.#sync();
    this.#show();
  }

  #promote(): void {
    [this.#deferred, this.#due] = [false, false];
    if (this.#next === null) return;
    if (this.#next !== this.#cell) this.#stamp = undefined;
    [this.#cell, this.#next] = [this.#next, null];
  }

  /** Once an epoch. Never where the browser would ask the person. */
  async #readAgain(): Promise<void> {
    const { clock, position } = this.options;
    const boundary = this.#boundary;
    if (!this.#isShared || boundary === null) return;
    const current = this.#begin();
    const permission = await position.permission();
    if (!current()) return;
    if (permission === 'denied') return this.#revoked(true);
    // The cell that is known stays.
    if (permission !== 'granted') return;
    const reading = await position.read();
    if (!current()) return;
    clock.after(Math.max(0, boundary - EPOCH_LEAD - clock.now()), () => {
      if (current() && clock.now() < boundary) this.#reread(reading);
    });
  }

  #reread(reading: Reading): void {
    if ('fault' in reading) {
      if (reading.fault === 'denied' || reading.fault === 'dismissed') {
        this.#revoked(reading.fault === 'denied');
      }
      return;
    }
    if (reading.cell === (this.#next ?? this.#cell)) return;
    this.#next = reading.cell;
    this.#sync();
    this.#show();
  }

  /** A new reading, or none: tells whether it is still the last word. */
  #begin(): () => boolean {
    this.#readings += 1;
    const reading = this.#readings;
    return () => reading === this.#readings;
  }

  #set(without: Location): void {
    this.#without = without;
    this.#show();
  }

  #show(): void {
    const waits = this.#next !== null && this.#next !== this.#cell && this.#boundary !== null;
    const location: Location = this.#isShared
      ? {
          state: 'shared',
          inForce: this.#cell !== null,
          ...(this.#country !== undefined && { country: this.#country }),
          ...(waits && this.#boundary !== null && { effectiveAt: this.#boundary }),
        }
      : this.#without;
    this.options.changed(location, this.#isShared ? this.#wanted : UNLIMITED);
  }
}

function without(fault: Extract<Reading, { fault: string }>['fault']): Location {
  if (fault === 'denied' || fault === 'unsupported') return { state: fault };
  return fault === 'dismissed'
    ? { state: 'not_shared' }
    : { state: 'not_shared', lost: 'unavailable' };
}

/** Worth a word: more than the time of a move. */
export function isNews(before: Location, now: Location): boolean {
  if (before.state !== now.state) return true;
  if (before.state === 'shared' && now.state === 'shared') return before.inForce !== now.inForce;
  return 'lost' in now && before !== now;
}
