import decodeUrl from './decode.worker.ts?worker&url';
import { SAMPLE_RATE } from './frame';
import type { Player } from './hear';
import type { Packet } from './memory';
import playoutUrl from './playout.worklet.ts?worker&url';
import { workerOf } from './scripts';
import type {
  FromDecoder,
  FromPlayout,
  PageToPlayout,
  ToDecoder,
  WorkletOptions,
} from './voicepath';

export interface LoudspeakerEvents {
  finished(play: number): void;
  levels(play: number, levels: number[]): void;
  /** Whether the browser holds sound back until the next touch or key. */
  blocked(blocked: boolean): void;
  /** Nothing is heard any more, until the page is loaded again. */
  failed(): void;
  /** Only when the page is measured. */
  measured?(message: Extract<FromPlayout, { type: 'tap' | 'heard' }>): void;
}

/** A context that may run does so within this time, in ms. */
const SETTLES = 500;

/** Decoding worker and playout worklet: packets in, sound out. Nothing of it runs on the main thread. */
export class Loudspeaker implements Player {
  #decoder: Worker | null = null;
  /** Runs from the decoder to the playout; holds what is said before the playout is there. */
  readonly #channel = new MessageChannel();
  #context: AudioContext | null = null;
  #playout: MessagePort | null = null;
  #held = false;
  #failed = false;
  /** What was begun and is not over; true when all of it has come in. */
  readonly #plays = new Map<number, boolean>();

  constructor(private readonly events: LoudspeakerEvents) {
    try {
      this.#decoder = this.#startDecoder();
      this.#ask({ type: 'playout', port: this.#channel.port1 }, [this.#channel.port1]);
    } catch {
      this.fail();
    }
  }

  /** Opens the sound system. Sound may stay blocked until `unlock`. */
  async open(): Promise<void> {
    if (this.#context || this.#failed) return;
    try {
      await this.#open();
    } catch {
      this.fail();
    }
  }

  /**
   * Decodes and plays no more. A burst is over once it has come in, so that no row stays on the air, and no
   * other waits for it.
   */
  fail(): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#decoder?.terminate();
    void this.#context?.close().catch(() => {});
    this.events.blocked(false);
    this.events.failed();
    for (const [play, whole] of this.#plays) if (whole) this.#finished(play);
  }

  #startDecoder(): Worker {
    const decoder = workerOf(decodeUrl);
    decoder.onerror = () => this.fail();
    decoder.onmessageerror = () => this.fail();
    decoder.onmessage = ({ data }: MessageEvent<FromDecoder>) => {
      if (data.type === 'failed') this.fail();
      else this.events.levels(data.play, data.levels);
    };
    return decoder;
  }

  async #open(): Promise<void> {
    const context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: 'interactive' });
    this.#context = context;
    context.onstatechange = () => this.#tellBlocked();
    setTimeout(() => this.#tellBlocked(), SETTLES);
    await context.audioWorklet.addModule(playoutUrl);
    const processorOptions: WorkletOptions = { measure: this.events.measured !== undefined };
    const node = new AudioWorkletNode(context, 'tenfour-playout', {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions,
    });
    node.port.onmessage = ({ data }: MessageEvent<FromPlayout>) => this.#fromPlayout(data);
    node.port.onmessageerror = () => this.fail();
    node.onprocessorerror = () => this.fail();
    node.connect(context.destination);
    this.#playout = node.port;
    const decoder: PageToPlayout = { type: 'decoder', port: this.#channel.port2 };
    node.port.postMessage(decoder, [this.#channel.port2]);
  }

  /** In a user gesture: lets the browser make sound. */
  unlock(): void {
    // During a call it throws; the sign that sound is blocked stays.
    void this.#context?.resume().catch(() => {});
  }

  /** While one talks, what one hears stands still, as with any radio; it goes on after that. */
  hold(on: boolean): void {
    if (this.#held === on) return;
    this.#held = on;
    this.#playout?.postMessage({ type: 'hold', on } satisfies PageToPlayout);
  }

  begin(play: number, frame: number, bundle: number, live: boolean): void {
    this.#plays.set(play, false);
    this.#ask({ type: 'begin', play, frame, bundle, live });
  }

  packet(play: number, packet: Packet): void {
    this.#ask({ type: 'packet', play, ...packet });
  }

  end(play: number): void {
    this.#plays.set(play, true);
    this.#ask({ type: 'end', play });
    if (this.#failed) queueMicrotask(() => this.#finished(play));
  }

  stop(play: number): void {
    this.#plays.delete(play);
    this.#ask({ type: 'stop', play });
  }

  #ask(message: ToDecoder, moved: Transferable[] = []): void {
    this.#decoder?.postMessage(message, moved);
  }

  #finished(play: number): void {
    if (this.#plays.delete(play)) this.events.finished(play);
  }

  #fromPlayout(message: FromPlayout): void {
    if (message.type === 'finished') this.#finished(message.play);
    else if (message.type === 'failed') this.fail();
    else this.events.measured?.(message);
  }

  #tellBlocked(): void {
    const state = this.#context?.state;
    if (this.#failed) return;
    // No gesture opens it again.
    if (state === 'closed') this.fail();
    else this.events.blocked(state !== 'running');
  }
}
