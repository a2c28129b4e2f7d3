/**
 * The button as one thing, whatever holds it: a finger, the mouse, a key, or the click of a
 * screen reader. It begins at the first press and ends when that holder lets go, or when the
 * page loses it. With the latch, one tap begins and the next ends.
 */

export interface PressActions {
  press(): void;
  release(): void;
}

/** Who holds the button: a pointer's number, a key's code, or an assistive click. */
export type Holder = `pointer ${number}` | `key ${string}` | 'click';

export class PressControl {
  #holder: Holder | null = null;
  readonly #actions: PressActions;
  readonly #latch: () => boolean;

  constructor(actions: PressActions, latch: () => boolean) {
    this.#actions = actions;
    this.#latch = latch;
  }

  /** True from press to release. */
  get held(): boolean {
    return this.#holder !== null;
  }

  /** A holder presses. A second one while it is held changes nothing, but for ending a latch. */
  down(holder: Holder): void {
    if (this.#holder === null) {
      this.#holder = holder;
      this.#actions.press();
    } else if (this.#latch() || this.#holder === 'click') {
      this.#end();
    }
  }

  /** A holder lets go; true when it was the one who held. */
  up(holder: Holder): boolean {
    const held = this.#holder === holder && holder !== 'click';
    if (held && !this.#latch()) this.#end();
    return held;
  }

  /** A screen reader activates the button: it cannot hold, so it always latches. */
  click(): void {
    this.down('click');
  }

  /** The page is left, hidden or loses the window: nobody stays on the air unseen. */
  leave(): void {
    if (this.#holder !== null) this.#end();
  }

  /** The burst ended without the holder: the latch falls open, a held button stays held. */
  ended(): void {
    if (this.#holder !== null && (this.#latch() || this.#holder === 'click')) this.#end();
  }

  #end(): void {
    this.#holder = null;
    this.#actions.release();
  }
}
