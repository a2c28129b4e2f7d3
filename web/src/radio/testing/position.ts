import type { Permission, Position, Reading } from '../position';

/** A device whose position and permission a test sets. Each reading is answered when the test says so. */
export class ScriptedPosition implements Position {
  allowed: Permission = 'granted';
  reading: Reading = { cell: '861ec9077ffffff' };
  /** Readings so far. */
  reads = 0;
  /** While true, readings wait. */
  held = false;
  #waiting: (() => void)[] = [];

  async permission(): Promise<Permission> {
    return this.allowed;
  }

  async read(): Promise<Reading> {
    this.reads += 1;
    if (this.held) await new Promise<void>((go) => this.#waiting.push(go));
    return this.reading;
  }

  /** Lets those go that wait. */
  release(): void {
    this.held = false;
    for (const go of this.#waiting.splice(0)) go();
  }
}
