import { JitterBuffer } from './jitter';
import type { ToPlayout } from './voicepath';

/** What a playout tells of its plays. */
export interface PlayoutEvents {
  started(play: number): void;
  finished(play: number): void;
  progress(play: number, played: number): void;
  /** The sound at media time `time` is heard from now on. */
  reached(play: number, time: number): void;
}

/** Progress is told each so many samples: 100 ms. */
const TELL = 4_800;

interface Play {
  buffer: JitterBuffer;
  begun: boolean;
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
    if (message.type === 'begin') {
      const { play, frame, live } = message;
      const buffer = new JitterBuffer(frame, live, (time) => this.events.reached(play, time));
      this.#plays.set(play, { buffer, begun: false, told: 0 });
      return;
    }
    const buffer = this.#plays.get(message.play)?.buffer;
    if (message.type === 'chunk') buffer?.push(message.time, message.lost, message.pcm);
    else if (message.type === 'end') buffer?.end();
    else this.#plays.delete(message.play);
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
    if (one.buffer.started && !one.begun) {
      one.begun = true;
      this.events.started(play);
    }
    if (one.buffer.played - one.told >= TELL) {
      one.told = one.buffer.played;
      this.events.progress(play, one.told);
    }
    if (one.buffer.finished) {
      this.#plays.delete(play);
      this.events.finished(play);
    }
  }
}
