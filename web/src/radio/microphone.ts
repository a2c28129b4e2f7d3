import type { FrameTime } from '../gen/FrameTime';
import { encoding, lacking } from './abilities';
import captureUrl from './capture.worklet.ts?worker&url';
import { SAMPLE_RATE } from './frame';
import type { Fault, Sink, Source } from './source';
import { asFault } from './source';
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
/** The microphone is let go when the page was hidden for so long, in ms. */
const HIDDEN_LIMIT = 60_000;
/** A suspended audio system would never hand out the tail, nor a broken encoder, in ms. */
const TAIL_LIMIT = 400;
/** An audio system that runs does so within this time; one that a call has stopped may never answer, in ms. */
const RESUME_LIMIT = 1_000;

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
      await within(TAIL_LIMIT, this.#encoder?.flush());
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
    if (warm) shut(warm.context);
  }

  /** It goes away, and the next press begins with a fresh one. */
  #fail(why: Fault): void {
    this.close();
    this.#encoder = null;
    this.onFault(why);
  }

  async #open(): Promise<void> {
    if (this.#warm) return this.#resume(this.#warm);
    const lack = await lacking();
    if (lack === 'no_encoder' || lack === 'no_voice') throw 'unsupported' satisfies Fault;
    const stream = await askForMicrophone();
    try {
      this.#warm = await listen(stream);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      throw asFault(error);
    }
    const { node } = this.#warm;
    // What is told of one that was let go is old.
    const fail = (why: Fault) => this.#warm?.node === node && this.#fail(why);
    node.port.onmessage = ({ data }: MessageEvent<FromCapture>) => {
      try {
        this.#frame(data);
      } catch {
        fail('broken');
      }
    };
    node.port.onmessageerror = () => fail('broken');
    node.onprocessorerror = () => fail('broken');
    stream.getAudioTracks()[0]?.addEventListener('ended', () => fail('missing'));
    this.#configure(this.#frameMs);
  }

  /** After a call a context may be stopped for good: a fresh one is made at the next press. */
  async #resume({ context }: Warm): Promise<void> {
    try {
      await resumed(context);
    } catch (error) {
      this.close();
      throw error;
    }
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
    const encoder: AudioEncoder = new AudioEncoder({
      output: (chunk) => {
        const payload = new Uint8Array(chunk.byteLength);
        chunk.copyTo(payload);
        this.#sink?.packet(payload, this.#taken.shift() ?? Date.now());
      },
      error: () => this.#encoder === encoder && this.#fail('broken'),
    });
    return encoder;
  }

  #watchHidden(): void {
    clearTimeout(this.#hidden);
    if (!document.hidden) return;
    this.#hidden = setTimeout(() => {
      if (!this.#sink) this.close();
    }, HIDDEN_LIMIT);
  }
}

async function askForMicrophone(): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: WANTED });
  } catch (error) {
    throw REASONS[error instanceof DOMException ? error.name : ''] ?? 'broken';
  }
}

/** By the name of what `getUserMedia` throws. */
const REASONS: Record<string, Fault> = {
  NotAllowedError: 'refused',
  SecurityError: 'refused',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'interrupted',
  AbortError: 'interrupted',
};

async function listen(stream: MediaStream): Promise<Warm> {
  const [context, source] = connect(stream);
  try {
    await context.audioWorklet.addModule(captureUrl);
    const node = new AudioWorkletNode(context, 'tenfour-capture', { outputChannelCount: [1] });
    // A node that leads nowhere is not run everywhere; this one is silent.
    source.connect(node).connect(context.destination);
    await resumed(context);
    return { context, stream, node };
  } catch (error) {
    shut(context);
    throw error;
  }
}

/** Throws `interrupted` when a call has the sound of the device, and does not answer, or says so. */
async function resumed(context: AudioContext): Promise<void> {
  try {
    await within(RESUME_LIMIT, context.resume());
  } catch {
    throw 'interrupted' satisfies Fault;
  }
}

function shut(context: AudioContext): void {
  // One that is closed already says so by throwing.
  void context.close().catch(() => {});
}

/** What `act` comes to; rejects when that takes longer than `ms`. */
function within<T>(ms: number, act: Promise<T> | undefined): Promise<T | undefined> {
  return Promise.race([act, new Promise<never>((_, reject) => setTimeout(reject, ms))]);
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
