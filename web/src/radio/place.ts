import type { Ranges } from '../gen/Ranges';
import type { Location } from './model';
import type { Permission, Position, Reading } from './position';
import type { Way } from './ranging';
import type { WhereaboutsOptions } from './whereabouts';
import { Whereabouts } from './whereabouts';

export interface PlaceOptions
  extends Pick<WhereaboutsOptions, 'clock' | 'kept' | 'send' | 'ranged'> {
  position: Position;
  /** What there is to see, or the way of a press, may be another one. */
  changed(location: Location, ranges: Ranges): void;
}

type Fault = Extract<Reading, { fault: string }>['fault'];

/** Whether the place is shared, and reading where the device is. What is said of it, `Whereabouts` decides. */
export class Place {
  readonly whereabouts: Whereabouts;
  /** What there is to tell while no cell is shared. */
  #without: Location = { state: 'not_shared' };
  #shown: Location = this.#without;
  /** Readings that were begun; the answer to an older one counts no more. */
  #readings = 0;

  constructor(private readonly options: PlaceOptions) {
    this.whereabouts = new Whereabouts({
      ...options,
      changed: () => this.#show(),
      read: () => void this.#readAgain(),
    });
  }

  /** In a user gesture: asks the browser, shares the cell, and takes `ranges`, unless the person declines. */
  async share(ranges: Ranges): Promise<void> {
    const before = this.whereabouts.ranges;
    this.whereabouts.ranges = ranges;
    if (this.#isShared || this.#isLooking) return;
    await this.#look((fault) => {
      // Who says no keeps what they had; who could not be found still wants it.
      if (fault !== 'unavailable') this.whereabouts.ranges = before;
    });
  }

  /** The same at the next visit: only if the browser asks nobody. */
  async restore(): Promise<void> {
    if (this.#isShared || this.#isLooking) return;
    const current = this.#begin();
    this.#set({ state: 'asking' });
    const permission = await this.options.position.permission();
    if (!current()) return;
    if (permission === 'granted') await this.#look();
    else this.#set({ state: permission === 'denied' ? permission : 'not_shared' });
  }

  unshare(): void {
    this.#drop({ state: 'not_shared' });
  }

  /** The browser's permission is another one. */
  permitted(permission: Permission): void {
    if (permission !== 'granted' && this.#isShared) this.#revoked(permission === 'denied');
    else if (permission !== 'denied' && this.#without.state === 'denied') {
      this.#set({ state: 'not_shared' });
    }
  }

  /** Whether a press reaches as far as was chosen, and no further; or why it must not go out. */
  way(): Way {
    return this.whereabouts.way(this.#isLooking);
  }

  /** Log-out. */
  forget(): void {
    this.unshare();
    this.whereabouts.forget();
  }

  get #isShared(): boolean {
    return this.whereabouts.location !== null;
  }

  get #isLooking(): boolean {
    return this.#without.state === 'asking';
  }

  /** Reads where the device is. `missed` is told why that gave nothing. */
  async #look(missed?: (fault: Fault) => void): Promise<void> {
    const current = this.#begin();
    this.#set({ state: 'asking' });
    const reading = await this.options.position.read();
    if (!current()) return;
    if ('fault' in reading) {
      missed?.(reading.fault);
      this.#set(without(reading.fault));
    } else {
      this.#without = { state: 'not_shared' };
      this.whereabouts.moved(reading.cell);
    }
  }

  /** Once an epoch. Never where the browser would ask the person. */
  async #readAgain(): Promise<void> {
    if (!this.#isShared) return;
    const { position } = this.options;
    const current = this.#begin();
    const permission = await position.permission();
    if (!current()) return;
    if (permission === 'denied') return this.#revoked(true);
    // The cell that is known stays.
    if (permission !== 'granted') return;
    const reading = await position.read();
    if (!current()) return;
    if ('cell' in reading) this.whereabouts.moved(reading.cell);
    else if (isDeclined(reading.fault)) this.#revoked(reading.fault === 'denied');
  }

  #revoked(denied: boolean): void {
    this.#drop({ state: denied ? 'denied' : 'not_shared', lost: 'revoked' });
  }

  /** Nothing is shared from now on, because of `why`. */
  #drop(why: Location): void {
    this.#begin();
    this.whereabouts.takeBack();
    this.#set(why);
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
    const location = this.whereabouts.location ?? this.#without;
    // The same again is no news to who has read it.
    if (JSON.stringify(location) !== JSON.stringify(this.#shown)) this.#shown = location;
    this.options.changed(this.#shown, this.whereabouts.ranges);
  }
}

/** The person said no, for now or for good. */
function isDeclined(fault: Fault): boolean {
  return fault === 'denied' || fault === 'dismissed';
}

function without(fault: Fault): Location {
  if (fault === 'denied' || fault === 'unsupported') return { state: fault };
  return fault === 'dismissed'
    ? { state: 'not_shared' }
    : { state: 'not_shared', lost: 'unavailable' };
}

/** Worth a word: more than the time of a move. */
export function isNews(before: Location, now: Location): boolean {
  if (before.state !== now.state) return true;
  if (before.state === 'shared' && now.state === 'shared') {
    return before.inForce !== now.inForce || before.lost !== now.lost;
  }
  return 'lost' in now && before !== now;
}
