import type { FrameTime } from '../gen/FrameTime';
import captureUrl from './capture.worklet.ts?worker&url';
import { SAMPLE_RATE } from './frame';
import type { Fault, Sink, Source } from './talk';
import type { FromCapture, ToCapture } from './voicepath';

/**
 * As the microphone hears it: a browser's gain control and noise suppression swallow the first syllable
 * after each start, and a radio is not heard while it talks, so there is no echo to cancel.
 */
const WANTED: MediaTrackConstraints = {
  channelCount: 1,
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
};
/** Bits a second, by frame time: 60 ms is what low data uses. */
const BITRATE: Record<FrameTime, number> = { 20: 28_000, 40: 24_000, 60: 16_000 };
/** The microphone is let go when the page was hidden for so long, in ms. */
const HIDDEN_LIMIT = 60_000;
/** A suspended audio system would never hand out the tail, in ms. */
const TAIL_LIMIT = 400;

interface Warm {
  context: AudioContext;
  stream: MediaStream;
  node: AudioWorkletNode;
}

/** The browser's microphone, kept warm from the first press on, and its Opus encoder. */
export class BrowserMicrophone implements Source {
  readonly hang = 150;
  #warm: Warm | null = null;
  #opening: Promise<void> | null = null;
  #encoder: AudioEncoder | null = null;
  #frameMs: FrameTime = 20;
  #sink: Sink | null = null;
  #fed = 0;
  /** When the frames inside the encoder were taken. */
  #taken: number[] = [];
  #tail: (() => void) | null = null;
  #hidden: ReturnType<typeof setTimeout> | undefined;

  /** `onFault` is called when a warm microphone goes away. */
  constructor(private readonly onFault: (why: Fault) => void) {
    document.addEventListener('visibilitychange', () => this.#watchHidden());
  }

  get ready(): boolean {
    return this.#warm?.context.state === 'running';
  }

  open(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  begin(frameMs: FrameTime, sink: Sink): void {
    this.#configure(frameMs);
    this.#sink = sink;
    this.#fed = 0;
    this.#taken = [];
    this.#ask({ type: 'open', frame: (frameMs * SAMPLE_RATE) / 1000 });
  }

  async finish(): Promise<void> {
    await this.#lastFrame();
    try {
      await this.#encoder?.flush();
    } catch {
      // The encoder failed and told so: nothing more comes out of it.
    }
    this.#sink = null;
    // Fresh for the next burst, and warm.
    if (this.#encoder?.state === 'configured') this.#encoder.reset();
    this.#configure(this.#frameMs);
  }

  /** Lets the microphone go, so that the browser's sign of recording goes out. */
  close(): void {
    const warm = this.#warm;
    this.#warm = null;
    for (const track of warm?.stream.getTracks() ?? []) track.stop();
    void warm?.context.close();
  }

  async #open(): Promise<void> {
    if (this.#warm) {
      await this.#warm.context.resume();
      return;
    }
    await checkSupport();
    const stream = await askForMicrophone();
    try {
      this.#warm = await listen(stream);
    } catch {
      for (const track of stream.getTracks()) track.stop();
      throw 'unsupported' satisfies Fault;
    }
    this.#warm.node.port.onmessage = ({ data }: MessageEvent<FromCapture>) => this.#frame(data);
    const [track] = stream.getAudioTracks();
    track?.addEventListener('ended', () => {
      if (this.#warm?.stream !== stream) return;
      this.close();
      this.onFault('missing');
    });
    this.#configure(this.#frameMs);
  }

  #ask(message: ToCapture): void {
    this.#warm?.node.port.postMessage(message);
  }

  #frame({ pcm, at, last }: FromCapture): void {
    const encoder = this.#encoder;
    if (this.#sink && encoder?.state === 'configured') {
      this.#sink.pcm(pcm);
      this.#taken.push(at);
      const timestamp = (this.#fed * 1_000_000) / SAMPLE_RATE;
      this.#fed += pcm.length;
      const sound = new AudioData({
        format: 'f32-planar',
        sampleRate: SAMPLE_RATE,
        numberOfChannels: 1,
        numberOfFrames: pcm.length,
        timestamp,
        data: pcm,
      });
      encoder.encode(sound);
      sound.close();
    }
    if (last) this.#tail?.();
  }

  #lastFrame(): Promise<void> {
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, TAIL_LIMIT);
      this.#tail = () => {
        clearTimeout(limit);
        resolve();
      };
      this.#ask({ type: 'close' });
    });
  }

  #configure(frameMs: FrameTime): void {
    const encoder = this.#encoder;
    if (encoder?.state === 'configured' && this.#frameMs === frameMs) return;
    this.#frameMs = frameMs;
    if (!encoder || encoder.state === 'closed') this.#encoder = this.#makeEncoder();
    this.#encoder?.configure(encoding(frameMs));
  }

  #makeEncoder(): AudioEncoder {
    return new AudioEncoder({
      output: (chunk) => {
        const payload = new Uint8Array(chunk.byteLength);
        chunk.copyTo(payload);
        this.#sink?.packet(payload, this.#taken.shift() ?? Date.now());
      },
      error: () => this.onFault('unsupported'),
    });
  }

  #watchHidden(): void {
    clearTimeout(this.#hidden);
    if (!document.hidden) return;
    this.#hidden = setTimeout(() => {
      if (!this.#sink) this.close();
    }, HIDDEN_LIMIT);
  }
}

function encoding(frameMs: FrameTime): AudioEncoderConfig {
  // `application` and `signal` are newer than TypeScript's library; browsers ignore what they do not know.
  const opus: OpusEncoderConfig & { application: string; signal: string } = {
    frameDuration: frameMs * 1000,
    application: 'voip',
    signal: 'voice',
  };
  return {
    codec: 'opus',
    sampleRate: SAMPLE_RATE,
    numberOfChannels: 1,
    bitrate: BITRATE[frameMs],
    opus,
  };
}

async function checkSupport(): Promise<void> {
  const fault: Fault = 'unsupported';
  // Without https (or localhost) a browser has no microphone to offer.
  if (!navigator.mediaDevices || !globalThis.AudioEncoder) throw fault;
  const { supported } = await AudioEncoder.isConfigSupported(encoding(20)).catch(() => ({
    supported: false,
  }));
  if (!supported) throw fault;
}

async function askForMicrophone(): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: WANTED });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    const refused = name === 'NotAllowedError' || name === 'SecurityError';
    throw (refused ? 'refused' : 'missing') satisfies Fault;
  }
}

async function listen(stream: MediaStream): Promise<Warm> {
  const [context, source] = connect(stream);
  await context.audioWorklet.addModule(captureUrl);
  const node = new AudioWorkletNode(context, 'tenfour-capture', { outputChannelCount: [1] });
  // A node that leads nowhere is not run everywhere; this one is silent.
  source.connect(node).connect(context.destination);
  await context.resume();
  return { context, stream, node };
}

/** Not every browser resamples a microphone to the rate of the context: then it gets its own rate. */
function connect(stream: MediaStream): [AudioContext, MediaStreamAudioSourceNode] {
  const context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: 'interactive' });
  try {
    return [context, context.createMediaStreamSource(stream)];
  } catch {
    void context.close();
    const own = new AudioContext({ latencyHint: 'interactive' });
    return [own, own.createMediaStreamSource(stream)];
  }
}
