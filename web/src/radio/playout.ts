import { JitterBuffer } from './jitter';
import type { ToPlayout } from './voicepath';

/** What a playout tells of its plays. */
export interface PlayoutEvents {
  finished(play: number): void;
  progress(play: number, played: number): void;
  /** The sound at media time `time` is heard from now on. */
  reached(play: number, time: number): void;
}

/** Progress is told each so many samples: 100 ms. */
const TELL = 4_800;

interface Play {
  buffer: JitterBuffer;
  told: number;
}

/** All that plays at a time, one burst for each channel, mixed. */
export class Playout {
  readonly #plays = new Map<number, Play>();

  #held = false;

  constructor(private readonly events: PlayoutEvents) {}

  /** A held playout is silent and loses nothing: it goes on where it was. */
  hold(on: boolean): void {
    this.#held = on;
  }

  handle(message: ToPlayout): void {
    const { type, play } = message;
    const buffer = this.#plays.get(play)?.buffer;
    if (type === 'begin') {
      const reached = (time: number) => this.events.reached(play, time);
      const buffer = new JitterBuffer(message.frame, message.live, reached);
      this.#plays.set(play, { buffer, told: 0 });
    } else if (type === 'chunk') buffer?.push(message.time, message.lost, message.pcm);
    else if (type === 'end') buffer?.end();
    else this.#plays.delete(play);
  }

  /** Fills `out` with the next samples of everything. */
  render(out: Float32Array): void {
    out.fill(0);
    if (this.#held) return;
    for (const [play, one] of this.#plays) {
      one.buffer.pull(out);
      this.#tell(play, one);
    }
    for (let i = 0; i < out.length; i += 1) {
      out[i] = Math.min(1, Math.max(-1, out[i] ?? 0));
    }
  }

  #tell(play: number, one: Play): void {
    const { played, finished } = one.buffer;
    if (played - one.told >= TELL) {
      one.told = played;
      this.events.progress(play, played);
    }
    if (finished) {
      this.#plays.delete(play);
      this.events.finished(play);
    }
  }
}
