import { MS } from './frame';

/** Sound held back before a burst begins to play. */
const START = 40 * MS;
/** Held back beyond one frame, at least: large frames come seldom. */
const MARGIN = 20 * MS;
const STEP = 20 * MS;
const MOST = 200 * MS;
/** Without an underrun for so long, one step less is held back. */
const CALM = 5_000 * MS;
/** A loss is never longer than this when played: nobody wants to hear seconds of nothing. */
const LONGEST_LOSS = 200 * MS;
/** A concealed loss fades to nothing within this time. */
const FADE = 60 * MS;
/** Sound that a concealment is made of. */
const HISTORY = 20 * MS;
/** Crossing over from concealment to voice. */
const BLEND = 2 * MS;
/** Quiet frames may be left out to catch up: under this, and well under the burst's loudest. */
const QUIET = 0.01;
const QUIET_SHARE = 0.05;

type Entry =
  | { kind: 'voice'; time: number; pcm: Float32Array }
  | { kind: 'silence'; samples: number }
  | { kind: 'loss'; samples: number };

/**
 * The playout queue of one burst. Chunks go in as they are decoded, samples come out at the pace of the
 * loudspeaker; it never reads a clock, for each pull is time that has passed. Late sound is not
 * dropped: playout waits, then catches up in pauses. Fresh for each burst, so no stall is kept.
 */
export class JitterBuffer {
  readonly #least: number;
  #target: number;
  readonly #queue: Entry[] = [];
  #buffered = 0;
  #ended = false;
  /** Playing, or holding back until enough is there. */
  #playing = false;
  #started = false;
  /** Samples since the first entry came into an empty queue. */
  #waited = 0;
  /** Samples played without voice since the queue ran dry. */
  #starved = 0;
  #raised = 0;
  #calm = 0;
  #offset = 0;
  #expected = 0;
  #played = 0;
  #loudest = 0;
  #skippedLast = false;
  readonly #history = new Float32Array(HISTORY);
  #written = 0;
  #concealed = 0;
  #blend = 0;

  /**
   * `frame` is the sound in one voice frame, in samples. A `live` burst may leave out quiet to catch up;
   * one from memory keeps its pauses. `reached` is called with the media time of each chunk as it
   * begins to sound.
   */
  constructor(
    frame: number,
    private readonly live: boolean,
    private readonly reached: (time: number) => void = () => {},
  ) {
    this.#least = Math.max(START, frame + MARGIN);
    this.#target = this.#least;
  }

  /** Samples that wait. */
  get buffered(): number {
    return this.#buffered;
  }
  /** Samples to hold back: grows with each underrun, up to 200 ms. */
  get target(): number {
    return this.#target;
  }
  /** Samples that have left the queue, played or left out. */
  get played(): number {
    return this.#played;
  }
  /** True when the burst has ended and all of it was played. */
  get finished(): boolean {
    return this.#ended && this.#queue.length === 0;
  }

  /**
   * Adds decoded sound behind what is there: `time` is its place, from 0. `lost` tells that frames before
   * it never came.
   */
  push(time: number, lost: boolean, pcm: Float32Array): void {
    const jump = time - this.#expected;
    this.#expected = time + pcm.length;
    if (lost) this.#add({ kind: 'loss', samples: Math.min(jump, LONGEST_LOSS) });
    else this.#add({ kind: 'silence', samples: this.#meantSilence(jump) });
    this.#add({ kind: 'voice', time, pcm });
  }

  /** No more chunks come. */
  end(): void {
    this.#ended = true;
  }

  /** Adds the next samples to `out`. */
  pull(out: Float32Array): void {
    if (!this.#playing && this.#isReady()) {
      this.#playing = true;
      this.#started = true;
      this.#starved = 0;
    }
    if (!this.#playing) {
      this.#hold(out, 0);
      return;
    }
    let at = 0;
    while (at < out.length) {
      const entry = this.#head();
      if (!entry) {
        if (!this.#ended) this.#underrun(out, at);
        return;
      }
      at += this.#play(entry, out, at);
    }
    this.#grow(out.length);
  }

  /** A jump without a loss is silence (DTX); what was played as an underrun is part of it. */
  #meantSilence(jump: number): number {
    if (jump === 0 || this.#playing || !this.#started) return jump;
    if (this.#starved <= jump + STEP) {
      this.#target -= this.#raised;
      this.#raised = 0;
    }
    return Math.max(0, jump - this.#starved);
  }

  #add(entry: Entry): void {
    const samples = size(entry);
    if (samples === 0) return;
    if (this.#queue.length === 0) this.#waited = 0;
    this.#queue.push(entry);
    this.#buffered += samples;
    if (entry.kind === 'voice') this.#loudest = Math.max(this.#loudest, loudness(entry.pcm));
  }

  /** Enough is there, or as much as will come, or the first frame has waited its time. */
  #isReady(): boolean {
    const first = this.#queue[0];
    if (!first) return false;
    return (
      this.#ended || this.#buffered >= this.#target || this.#waited >= this.#target - size(first)
    );
  }

  #hold(out: Float32Array, from: number): void {
    const samples = out.length - from;
    if (this.#started) this.#conceal(out, from, samples);
    if (this.#queue.length > 0) this.#waited += samples;
    this.#starved += samples;
  }

  #underrun(out: Float32Array, from: number): void {
    this.#playing = false;
    this.#raised = Math.min(STEP, MOST - this.#target);
    this.#target += Math.max(0, this.#raised);
    this.#calm = 0;
    this.#starved = 0;
    this.#hold(out, from);
  }

  /** Underruns make the target grow at once; calm makes it shrink slowly. */
  #grow(samples: number): void {
    this.#calm += samples;
    if (this.#calm < CALM) return;
    this.#calm = 0;
    this.#target = Math.max(this.#least, this.#target - STEP);
  }

  /** The entry to play from; leaves out quiet when more is buffered than needs be. */
  #head(): Entry | undefined {
    const entry = this.#queue[0];
    if (!this.live || this.#offset > 0 || this.#buffered <= this.#target + STEP) return entry;
    if (!entry) return entry;
    // Half of a pause at most, so that a pause gets shorter but stays a pause.
    if (entry.kind === 'silence' && !this.#skippedLast) {
      const cut = Math.min(Math.floor(entry.samples / 2), this.#buffered - this.#target);
      entry.samples -= cut;
      this.#leaveOut(cut);
    } else if (entry.kind === 'voice' && !this.#skippedLast && this.#isQuiet(entry.pcm)) {
      this.#queue.shift();
      this.#leaveOut(entry.pcm.length);
    }
    return this.#queue[0];
  }

  #leaveOut(samples: number): void {
    this.#count(samples);
    this.#skippedLast = true;
  }

  #isQuiet(pcm: Float32Array): boolean {
    const loud = loudness(pcm);
    return loud < QUIET && loud < this.#loudest * QUIET_SHARE;
  }

  #play(entry: Entry, out: Float32Array, at: number): number {
    const samples = Math.min(size(entry) - this.#offset, out.length - at);
    if (entry.kind === 'voice' && this.#offset === 0) this.reached(entry.time);
    if (entry.kind === 'voice') this.#voice(entry.pcm, out, at, samples);
    else if (entry.kind === 'loss') this.#conceal(out, at, samples);
    else this.#silence(samples);
    this.#offset += samples;
    this.#count(samples);
    if (this.#offset === size(entry)) {
      this.#queue.shift();
      this.#offset = 0;
      this.#skippedLast = false;
    }
    return samples;
  }

  #voice(pcm: Float32Array, out: Float32Array, at: number, samples: number): void {
    if (this.#concealed > 0 && this.#blend === 0) this.#blend = BLEND;
    for (let i = 0; i < samples; i += 1) {
      let sample = pcm[this.#offset + i] ?? 0;
      if (this.#blend > 0) {
        const share = this.#blend / BLEND;
        sample = sample * (1 - share) + this.#echo(this.#concealed) * share;
        this.#concealed += 1;
        this.#blend -= 1;
        if (this.#blend === 0) this.#concealed = 0;
      }
      out[at + i] = (out[at + i] ?? 0) + sample;
      if (this.#blend === 0) this.#remember(sample);
    }
  }

  /** Real silence needs no concealment after it. */
  #silence(samples: number): void {
    this.#concealed = 0;
    for (let i = 0; i < Math.min(samples, HISTORY); i += 1) this.#remember(0);
  }

  #conceal(out: Float32Array, at: number, samples: number): void {
    for (let i = 0; i < samples; i += 1) {
      out[at + i] = (out[at + i] ?? 0) + this.#echo(this.#concealed);
      this.#concealed += 1;
    }
  }

  /** Sample `k` of a concealment: the last sound to and fro, so that it has no edge, fading. */
  #echo(k: number): number {
    if (k >= FADE) return 0;
    const back = k % (2 * HISTORY);
    const age = back < HISTORY ? back : 2 * HISTORY - 1 - back;
    const index = (this.#written - 1 - age + 2 * HISTORY) % HISTORY;
    return (this.#history[index] ?? 0) * (1 - k / FADE);
  }

  #remember(sample: number): void {
    this.#history[this.#written] = sample;
    this.#written = (this.#written + 1) % HISTORY;
  }

  #count(samples: number): void {
    this.#buffered -= samples;
    this.#played += samples;
  }
}

function size(entry: Entry): number {
  return entry.kind === 'voice' ? entry.pcm.length : entry.samples;
}

/** Root of the mean square. */
function loudness(pcm: Float32Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return Math.sqrt(sum / Math.max(1, pcm.length));
}
