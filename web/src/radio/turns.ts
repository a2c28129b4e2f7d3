import type { Recording } from './memory';

/** A burst that could not begin within so many ms of its first packet is not played: `limits::LAG_LIMIT` of the core. */
export const LAG_LIMIT = 12_000;
/** Who is next depends on whom one heard for so long before, in ms: `limits::HEARD_LATELY` of the core. */
const LATELY = 5 * 60_000;

/** A burst in the queue of its channel. */
export interface Turn {
  recording: Recording;
  /** The tag of who talks. */
  talker: string;
  again: boolean;
  play: number | null;
  /** Frames that come together: between them is as much silence to bridge. */
  bundle: number;
}

/** Whom one heard lately on each channel, and for how long. */
export class HeardLately {
  #played: { channel: string; talker: string; at: number; frames: number }[] = [];

  add({ recording, talker }: Turn, now: number): void {
    const { channel, packets, frameMs } = recording;
    this.#played.push({ channel, talker, at: now, frames: packets.length * frameMs });
  }

  /** Brings the burst to the front that is next: of those that wait, the one whose talker was heard least. */
  bringNext(turns: Turn[], now: number): Turn | undefined {
    this.#played = this.#played.filter(({ at }) => at + LATELY > now);
    const ordered = turns.map((turn) => ({ turn, order: this.#order(turn) }));
    // Of those that are level the first that was announced.
    ordered.sort((a, b) => compare(a.order, b.order));
    const next = ordered[0]?.turn;
    if (next) turns.unshift(...turns.splice(turns.indexOf(next), 1));
    return next;
  }

  /** What is to be said again was asked for just now. A burst without a packet waits. */
  #order({ again, recording, talker }: Turn): number[] {
    if (again) return [0, 0, 0];
    const heard = this.#played
      .filter((one) => one.channel === recording.channel && one.talker === talker)
      .reduce((sum, { frames }) => sum + frames, 0);
    return [1, recording.packets.length === 0 ? 1 : 0, heard];
  }
}

function compare(one: number[], other: number[]): number {
  const at = one.findIndex((value, i) => value !== other[i]);
  return (one[at] ?? 0) - (other[at] ?? 0);
}
