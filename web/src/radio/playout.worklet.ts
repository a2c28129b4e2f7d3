import { Playout } from './playout';
import type { FromPlayout, PageToPlayout, Progress, ToPlayout, WorkletOptions } from './voicepath';

/** Samples of the tap in one message: 100 ms. */
const TAP = 4_800;

class PlayoutProcessor extends AudioWorkletProcessor {
  #decoder: MessagePort | null = null;
  readonly #measure: boolean;
  #tap = new Float32Array(TAP);
  #tapped = 0;
  readonly #playout = new Playout({
    finished: (play) => this.#tell({ type: 'finished', play }),
    progress: (play, played) =>
      this.#decoder?.postMessage({ type: 'progress', play, played } satisfies Progress),
    reached: (play, time) => {
      if (this.#measure) this.#tell({ type: 'heard', play, time, at: Date.now() });
    },
  });

  constructor(options: AudioWorkletNodeOptions) {
    super(options);
    this.#measure = (options.processorOptions as WorkletOptions).measure;
    this.port.onmessage = ({ data }: MessageEvent<PageToPlayout>) => {
      if (data.type === 'hold') this.#playout.hold(data.on);
      else this.#connect(data.port);
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]?.[0];
    if (!out) return true;
    this.#playout.render(out);
    if (this.#measure) this.#record(out);
    return true;
  }

  #connect(port: MessagePort): void {
    this.#decoder = port;
    const failed = () => this.#tell({ type: 'failed' });
    port.onmessageerror = failed;
    port.onmessage = ({ data }: MessageEvent<ToPlayout>) => {
      try {
        this.#playout.handle(data);
      } catch {
        failed();
      }
    };
  }

  #record(out: Float32Array): void {
    this.#tap.set(out, this.#tapped);
    this.#tapped += out.length;
    if (this.#tapped + out.length <= TAP) return;
    this.#tell({ type: 'tap', pcm: this.#tap.slice(0, this.#tapped) });
    this.#tapped = 0;
  }

  #tell(message: FromPlayout): void {
    this.port.postMessage(message);
  }
}

registerProcessor('tenfour-playout', PlayoutProcessor);
