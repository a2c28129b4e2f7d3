import type { ClientMessage } from '../gen/ClientMessage';
import type { GeoCell } from '../gen/GeoCell';
import { EPOCH, EPOCH_LEAD } from '../gen/limits';
import type { Ranges } from '../gen/Ranges';
import type { ServerMessage } from '../gen/ServerMessage';
import type { Clock } from './clock';
import type { KeptPlace } from './keptPlace';
import type { Hello } from './link';
import type { Location } from './model';
import type { Way } from './ranging';
import { Ranging } from './ranging';
import type { Refusal } from './refusal';

type Located = Extract<ServerMessage, { type: 'located' }>;

export interface WhereaboutsOptions {
  clock: Clock;
  kept: KeptPlace;
  send(message: ClientMessage): void;
  /** What there is to see, or the way of a press, may be another one. */
  changed(): void;
  /** These ranges are in force. */
  ranged(ranges: Ranges): void;
  /** The time to read the position for the next boundary. */
  read(): void;
}

/** The position is read so long before the new cell is said, in ms: longer than a reading takes. */
export const READ_AHEAD = 20_000;
/** A handle that is being moved is sent when it has rested so long, in ms. */
const SETTLE = 250;
/** A message that came too fast is sent again after so many ms, if the server names no time. */
const AGAIN = 1_000;

/** What the server has not answered for good. */
type Asked =
  /** The published cell, new on this connection; or to forget the cell. */
  | { what: 'first' | 'nothing' }
  /** Another cell, which takes effect at the boundary. */
  | { what: 'move'; cell: GeoCell; boundary: number };

interface Published {
  cell: GeoCell;
  /** Shows that this cell is no move. */
  stamp: string | undefined;
}

/**
 * Which cell is said to the server, and when, and whether a press reaches as far as was chosen and no
 * further: docs/radio.md, and docs/protocol.md, 2.2. The same machine as `core::radio::place`. The cell is
 * in here, in memory, and nowhere else.
 */
export class Whereabouts {
  readonly #ranging = new Ranging((message) => this.options.send(message));
  /** Greeting is from `hello` to `welcome`. */
  #phase: 'down' | 'greeting' | 'up' = 'down';
  /** The cell the device is in. */
  #wanted: GeoCell | null = null;
  /** The cell that was said, and is repeated on each connection. */
  #published: Published | null = null;
  /** When a cell was said or taken back last, if another one has to wait for the next boundary. */
  #spent: number | null = null;
  #asked: Asked | null = null;
  /** The next time for a new cell. */
  #epoch: { due: number; boundary: number } | null = null;
  /** The server has a cell of this connection. */
  #known = false;
  /** Why it took none. */
  #refused: 'cell_refused' | 'too_many_moves' | null = null;
  #country: string | undefined;
  /** The stamp of a cell that an earlier page knew. */
  #stamp: string | undefined;
  #cancelDue = () => {};
  #cancelReading = () => {};
  #cancelSettle = () => {};
  #cancelAgain: (() => void) | null = null;

  constructor(private readonly options: WhereaboutsOptions) {
    const { stamp, waits } = options.kept.read();
    this.#stamp = stamp;
    if (waits) this.#spent = options.clock.now();
  }

  get ranges(): Ranges {
    return this.#ranging.wished;
  }

  /** Holds for the next press, and is sent when it rests. */
  set ranges(ranges: Ranges) {
    this.#ranging.wished = ranges;
    this.#cancelSettle();
    this.#cancelSettle = this.options.clock.after(SETTLE, () => {
      this.flush();
      this.#tellRanged();
    });
    this.options.changed();
  }

  /** What is shared; null when nothing is. */
  get location(): Extract<Location, { state: 'shared' }> | null {
    if (this.#wanted === null) return null;
    const move = this.#asked?.what === 'move' ? this.#asked : null;
    const answered = this.#phase === 'up' && this.#asked?.what !== 'first';
    const inForce = this.#published !== null && (this.#known || !answered);
    const boundary = (move ?? this.#epoch)?.boundary;
    return {
      state: 'shared',
      inForce,
      ...(this.#country !== undefined && { country: this.#country }),
      ...((move || !inForce) && boundary !== undefined && { effectiveAt: boundary }),
      ...(this.#refused && { lost: this.#refused }),
    };
  }

  /** Whether a press reaches as far as was chosen, and no further; or why it must not go out. */
  way(looking: boolean): Way {
    if (__MUTANT__ === 'talk-without-place') return 'open';
    const way = this.#ranging.way(this.#known, this.#refused);
    return way === 'location_needed' && looking ? 'wait' : way;
  }

  /** The device is in another cell. */
  moved(cell: GeoCell): void {
    this.#wanted = cell;
    this.#sayFirst();
    this.options.changed();
  }

  /** Takes the cell back at once. What was chosen stays: nobody reaches further because of that. */
  takeBack(): void {
    const said = this.#published !== null || this.#asked?.what === 'move';
    [this.#wanted, this.#published, this.#country] = [null, null, undefined];
    [this.#known, this.#refused, this.#asked] = [false, null, null];
    this.#ranging.lost();
    if (!said) return;
    const { clock, kept } = this.options;
    this.#spent = clock.now();
    if (this.#epoch) kept.takenBack(this.#epoch.boundary - clock.now());
    if (this.#phase !== 'down') this.#asked = { what: 'nothing' };
    this.#send();
  }

  /** Log-out: nothing of a place is left. */
  forget(): void {
    this.takeBack();
    [this.#spent, this.#epoch, this.#stamp] = [null, null, undefined];
    this.#cancelDue();
    this.#cancelReading();
    this.options.kept.forget();
  }

  /** Sends the ranges that are wished, as soon as the server can take them. */
  flush(): void {
    this.#cancelSettle();
    if (this.#phase === 'up') {
      this.#ranging.sync(this.#known || this.#asked?.what === 'first');
    }
  }

  /** What a connection begins with. */
  hello(): Pick<Hello, 'place' | 'range'> {
    this.#phase = 'greeting';
    // A move whose boundary is over is one that was made.
    if (this.#asked?.what === 'move' && this.#isOver) {
      this.#published = { cell: this.#asked.cell, stamp: undefined };
    }
    if (this.#published === null && this.#spent === null) this.#publish();
    this.#asked = this.#published && { what: 'first' };
    [this.#known, this.#refused] = [false, null];
    const range = this.#ranging.hello(this.#published !== null);
    return {
      ...(this.#published && { place: withStamp(this.#published) }),
      ...(range && { range }),
    };
  }

  welcomed(epochInMs: number): void {
    this.#phase = 'up';
    this.#setEpoch(this.options.clock.now() + Math.min(epochInMs, EPOCH));
    // It was taken back between `hello` and `welcome`.
    if (this.#asked?.what === 'nothing') this.#send();
    else if (!this.#asked) this.#sayFirst();
    this.#answered();
  }

  /** The connection ended. */
  lost(): void {
    this.#phase = 'down';
    this.#cancelAgain?.();
    this.#cancelAgain = null;
    [this.#known, this.#refused] = [false, null];
    if (this.#asked?.what !== 'move') this.#asked = null;
    this.#ranging.lost();
    this.options.changed();
  }

  located({ shared, country, stamp, effective_in_ms }: Located): void {
    const moves = effective_in_ms !== undefined;
    if (this.#asked?.what === 'nothing') {
      // Said before the server read that the cell is taken back.
      if (shared || moves) return;
      this.#asked = null;
    } else if (this.#asked?.what === 'move') {
      // Unless that was said before the server read the move, or it has not taken it yet.
      if (shared && !moves && !this.#cancelAgain) this.#keep(this.#asked.cell, stamp);
    } else if (this.#published && moves && !shared) {
      // The stamp was for another cell, so this one is a move.
      const boundary = this.options.clock.now() + effective_in_ms;
      this.#asked = { what: 'move', cell: this.#published.cell, boundary };
      this.#published = null;
    } else if (this.#published) {
      // One that comes without is for the cell that was known already.
      this.#keep(this.#published.cell, stamp ?? this.#published.stamp);
    }
    if (!moves) this.#known = shared;
    if (shared || moves) this.#refused = null;
    this.#country = country;
    this.flush();
    this.#answered();
  }

  ranged(ranges: Ranges): void {
    this.#ranging.ranged(ranges);
    this.flush();
    this.#tellRanged();
    this.options.changed();
  }

  /** A message was refused. True when it needs no notice: the location tells it, or it is sent again. */
  refused({ code, channel, retry_after_ms }: Refusal): boolean {
    if (code === 'too_many_messages' && channel === undefined) return this.#again(retry_after_ms);
    if (code === 'location_needed') this.#ranging.lost();
    else if (code !== 'cell_refused' && code !== 'too_many_moves') return false;
    else if (this.#asked?.what === 'move' && this.#published) {
      // The cell before it stays; the next boundary is another try.
      this.#asked = null;
      this.options.changed();
      return false;
    } else {
      if (this.#asked?.what !== 'nothing') [this.#asked, this.#refused] = [null, code];
      this.#known = false;
    }
    this.#answered();
    return true;
  }

  /** The first cell of all, or the first since a boundary: nothing to compare it with. */
  #sayFirst(): void {
    if (this.#phase !== 'up' || this.#published || this.#spent !== null) return;
    this.#publish();
    if (!this.#published) return;
    this.#asked = { what: 'first' };
    this.#send();
    this.flush();
  }

  #publish(): void {
    if (this.#wanted === null) return;
    this.#published = { cell: this.#wanted, stamp: this.#stamp };
    [this.#spent, this.#stamp] = [this.options.clock.now(), undefined];
  }

  /** The server has taken this cell. */
  #keep(cell: GeoCell, stamp: string | undefined): void {
    [this.#published, this.#asked] = [{ cell, stamp }, null];
    if (stamp !== undefined) this.options.kept.write(stamp);
  }

  #answered(): void {
    this.#moveOn();
    this.options.changed();
  }

  /** The time for a new cell, if it is one. */
  #moveOn(): void {
    const now = this.options.clock.now();
    // Nothing is on its way that has to be answered first.
    const busy = this.#asked !== null && this.#asked.what !== 'move';
    if (!this.#epoch || now < this.#epoch.due || this.#phase === 'greeting' || busy) return;
    const { due, boundary } = this.#epoch;
    this.#setEpoch(boundary + EPOCH * Math.max(1, Math.ceil((now - boundary + 1) / EPOCH)));
    if (!this.#published && this.#spent !== null && this.#spent < due) this.#spent = null;
    if (this.#wanted === null || now >= boundary) return;
    const asked = this.#asked?.what === 'move' ? this.#asked : null;
    if (this.#refused) {
      this.#publish();
      this.#asked = { what: 'first' };
    } else if (this.#published?.cell !== this.#wanted || asked) {
      // Said for this very boundary already.
      if (asked?.cell === this.#wanted && asked.boundary > due) return;
      // With the one before unanswered, nobody knows where the server is.
      this.#asked = { what: 'move', cell: this.#wanted, boundary };
      this.#spent = now;
    } else return;
    this.#send();
    this.flush();
  }

  /** A clock that only goes forward keeps the boundary: a wall clock may jump. */
  #setEpoch(boundary: number): void {
    const { clock, read } = this.options;
    const now = clock.now();
    const due = Math.max(now, boundary - EPOCH_LEAD);
    this.#epoch = { due, boundary };
    this.#cancelDue();
    this.#cancelReading();
    this.#cancelDue = clock.after(due - now, () => this.#answered());
    const readingIn = due - READ_AHEAD - now;
    this.#cancelReading = readingIn < 0 ? () => {} : clock.after(readingIn, read);
  }

  #send(): void {
    const asked = this.#asked;
    if (this.#phase !== 'up' || !asked) return;
    const cell = asked.what === 'move' ? asked.cell : null;
    const place = asked.what === 'first' && this.#published ? withStamp(this.#published) : { cell };
    this.options.send({ type: 'locate', ...place });
  }

  /** What the server sets by itself when it has no cell is not what was chosen, and not told. */
  #tellRanged(): void {
    if (this.#ranging.inForce) this.options.ranged(this.#ranging.wished);
  }

  /** Messages came too fast: what is unanswered is said again. */
  #again(after = AGAIN): boolean {
    if (!this.#asked && !this.#ranging.isAsked) return false;
    this.#cancelAgain ??= this.options.clock.after(after, () => {
      this.#cancelAgain = null;
      // A move that was not taken in time waits for the next.
      if (!this.#isOver) this.#send();
      this.#ranging.again();
    });
    return true;
  }

  /** A move was asked for, and its boundary is over. */
  get #isOver(): boolean {
    return this.#asked?.what === 'move' && this.options.clock.now() >= this.#asked.boundary;
  }
}

function withStamp({ cell, stamp }: Published) {
  return stamp === undefined ? { cell } : { cell, stamp };
}
