import { SAMPLE_RATE } from './frame';
import { Framer } from './framer';
import type { FromCapture, ToCapture } from './voicepath';

/** Hands out microphone frames while it is open, and nothing otherwise. */
class CaptureProcessor extends AudioWorkletProcessor {
  #open = false;
  #last = false;
  readonly #framer = new Framer(sampleRate, (pcm) => this.#complete(pcm));

  constructor(options: AudioWorkletNodeOptions) {
    super(options);
    this.port.onmessage = ({ data }: MessageEvent<ToCapture>) => {
      if (data.type === 'open') {
        this.#framer.resize(data.frame);
        this.#open = true;
      } else {
        this.#last = true;
        this.#framer.cut();
        this.#last = false;
        this.#open = false;
      }
    };
  }

  process(inputs: Float32Array[][]): boolean {
    const input = inputs[0]?.[0];
    if (input) this.#framer.add(input);
    return true;
  }

  #complete(pcm: Float32Array<ArrayBuffer>): void {
    if (!this.#open) return;
    const at = Date.now() - (pcm.length * 1000) / SAMPLE_RATE;
    const message: FromCapture = { pcm, at, last: this.#last };
    this.port.postMessage(message, [pcm.buffer]);
  }
}

registerProcessor('tenfour-capture', CaptureProcessor);
