import type { Player } from '../hear';
import type { Packet } from '../memory';
import { Playout } from '../playout';

const FRAME = 960;
/** What a frame sounds like: its digit is the first byte of its payload, and a concealment is less than any. */
const LEAST = 0.5;
const STEP = 0.01;

/** The loudspeaker of a bench: the page's own playout behind a codec of constant tones. Writes down what is heard. */
export class Speaker implements Player {
  readonly #playing = new Set<number>();
  #played = '';
  /** Time until it wants more, in ms. */
  #due = 0;
  readonly #playout: Playout;
  #over: number[] = [];

  constructor(private readonly finished: (play: number) => void) {
    this.#playout = new Playout({
      finished: (play) => this.#over.push(play),
      progress: () => {},
      reached: () => {},
    });
  }

  begin(play: number, frame: number, bundle: number, live: boolean): void {
    this.#playing.add(play);
    this.#playout.handle({ type: 'begin', play, frame: frame * bundle, live });
  }
  packet(play: number, { time, lost, payload }: Packet): void {
    const sound = payload.length > 2 ? LEAST + STEP * ((payload[0] ?? 0) % 10) : 0;
    const pcm = new Float32Array(FRAME).fill(sound);
    this.#playout.handle({ type: 'chunk', play, time, lost, pcm });
  }
  end(play: number): void {
    this.#playout.handle({ type: 'end', play });
  }
  stop(play: number): void {
    this.#playing.delete(play);
    this.#playout.handle({ type: 'stop', play });
  }

  /** Takes what is due. The time until more is, or as much of it as is `left`, in ms. */
  pull(left: number): number {
    if (this.#playing.size === 0) {
      this.#played += '.'.repeat(left / 20);
      this.#due = 0;
      return left;
    }
    if (this.#due <= 0) {
      const out = new Float32Array(FRAME);
      this.#playout.render(out);
      this.#played += letter(out[FRAME / 2] ?? 0);
      this.#due = 20;
      // A message to the page: what it begins is heard in the next 20 ms.
      for (const play of this.#over.splice(0)) {
        this.#playing.delete(play);
        this.finished(play);
      }
    }
    const step = Math.min(this.#due, left);
    this.#due -= step;
    return step;
  }

  /** A letter for 20 ms, without the silence before and after. */
  played(): string {
    const played = this.#played.replaceAll(/^\.+|\.+$/g, '');
    this.#played = '';
    return played;
  }
}

function letter(sample: number): string {
  if (sample === 0) return '.';
  return sample < LEAST - STEP / 2 ? '~' : String(Math.round((sample - LEAST) / STEP));
}
