import type { ClientMessage } from '../../gen/ClientMessage';
import type { Code } from '../../gen/Code';
import { EPOCH_LEAD } from '../../gen/limits';
import type { Ranges } from '../../gen/Ranges';
import type { Location } from '../model';
import { Place } from '../place';
import { UNLIMITED } from '../range';
import { VirtualClock } from './clock';
import { ScriptedPosition } from './position';

export const HOME = '861ec9077ffffff';
export const AWAY = '861ec9747ffffff';
export const NEAR: Ranges = { tx: '25km', rx: '50km' };
/** What `welcome` says: seven minutes. */
export const TO_BOUNDARY = 7 * 60_000;

/** A place with a device, a link and a clock that a test moves. */
export class PlaceWorld {
  readonly clock = new VirtualClock();
  readonly position = new ScriptedPosition();
  /** What this connection was told after its hello, since it was emptied. */
  sent: ClientMessage[] = [];
  location: Location = { state: 'not_shared' };
  ranges: Ranges = UNLIMITED;
  #up = false;
  readonly place = new Place({
    clock: this.clock,
    position: this.position,
    kept: { read: () => ({ waits: false }), write() {}, takenBack() {}, forget() {} },
    send: (message) => {
      if (this.#up) this.sent.push(message);
      return this.#up;
    },
    changed: (location, ranges) => {
      [this.location, this.ranges] = [location, ranges];
    },
    ranged: () => {},
  });
  readonly whereabouts = this.place.whereabouts;

  /** A connection: what its hello said, from the welcome on. */
  connect(epochInMs = TO_BOUNDARY) {
    const hello = this.whereabouts.hello();
    this.welcome(epochInMs);
    return hello;
  }

  welcome(epochInMs = TO_BOUNDARY): void {
    this.#up = true;
    this.sent = [];
    this.whereabouts.welcomed(epochInMs);
  }

  drop(): void {
    this.#up = false;
    this.whereabouts.lost();
  }

  located(more: object = {}): void {
    this.whereabouts.located({ type: 'located', shared: true, ...more });
  }

  unlocated(): void {
    this.located({ shared: false });
  }

  refuse(code: Code, more: object = {}): boolean {
    return this.whereabouts.refused({ code, ...more });
  }

  /** On the air with HOME and NEAR in force. */
  async shared(): Promise<void> {
    this.connect();
    await this.place.share(NEAR);
    this.located({ country: 'RS', stamp: 'stamp-1' });
    this.whereabouts.ranged(NEAR);
    this.sent = [];
  }

  /** On the air, HOME in force, and AWAY said shortly before the boundary. */
  async moved(): Promise<void> {
    await this.shared();
    this.position.reading = { cell: AWAY };
    await this.clock.pass(TO_BOUNDARY - EPOCH_LEAD);
    this.located({ country: 'RS', effective_in_ms: EPOCH_LEAD });
    this.sent = [];
  }
}
