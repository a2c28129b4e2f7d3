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
  /** Only when the page is measured. */
  measured?(message: Extract<FromPlayout, { type: 'tap' | 'heard' }>): void;
}

/** A context that may run does so within this time, in ms. */
const SETTLES = 500;

/** Decoding worker and playout worklet: packets in, sound out. Nothing of it runs on the main thread. */
export class Loudspeaker implements Player {
  readonly #decoder = workerOf(decodeUrl);
  /** Runs from the decoder to the playout; holds what is said before the playout is there. */
  readonly #channel = new MessageChannel();
  #context: AudioContext | null = null;
  #playout: MessagePort | null = null;
  #held = false;

  constructor(private readonly events: LoudspeakerEvents) {
    this.#ask({ type: 'playout', port: this.#channel.port1 }, [this.#channel.port1]);
    this.#decoder.onmessage = ({ data }: MessageEvent<FromDecoder>) =>
      events.levels(data.play, data.levels);
  }

  /** Opens the sound system. Sound may stay blocked until `unlock`. */
  async open(): Promise<void> {
    if (this.#context) return;
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
    node.connect(context.destination);
    this.#playout = node.port;
    const decoder: PageToPlayout = { type: 'decoder', port: this.#channel.port2 };
    node.port.postMessage(decoder, [this.#channel.port2]);
  }

  /** In a user gesture: lets the browser make sound. */
  unlock(): void {
    void this.#context?.resume();
  }

  /** While one talks, what one hears stands still, as with any radio; it goes on after that. */
  hold(on: boolean): void {
    if (this.#held === on) return;
    this.#held = on;
    this.#playout?.postMessage({ type: 'hold', on } satisfies PageToPlayout);
  }

  begin(play: number, frame: number, bundle: number, live: boolean): void {
    this.#ask({ type: 'begin', play, frame, bundle, live });
  }

  packet(play: number, packet: Packet): void {
    this.#ask({ type: 'packet', play, ...packet });
  }

  end(play: number): void {
    this.#ask({ type: 'end', play });
  }

  stop(play: number): void {
    this.#ask({ type: 'stop', play });
  }

  #ask(message: ToDecoder, moved: Transferable[] = []): void {
    this.#decoder.postMessage(message, moved);
  }

  #fromPlayout(message: FromPlayout): void {
    if (message.type === 'finished') this.events.finished(message.play);
    else this.events.measured?.(message);
  }

  #tellBlocked(): void {
    this.events.blocked(this.#context?.state !== 'running');
  }
}
