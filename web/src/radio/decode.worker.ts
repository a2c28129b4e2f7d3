import { DECODING } from './abilities';
import type { MakeDecoder } from './decoding';
import { Decoding } from './decoding';
import { SAMPLE_RATE } from './frame';
import { LevelCurve } from './levels';
import type { FromDecoder, Progress, ToDecoder, ToPlayout } from './voicepath';

const plays = new Map<number, Decoding>();
let playout: MessagePort | null = null;

// What a promise throws would be lost in here; what is thrown otherwise ends the sound, with words.
self.onunhandledrejection = () => tellPage({ type: 'failed' });

self.onmessage = ({ data }: MessageEvent<ToDecoder>) => {
  if (data.type === 'playout') connect(data.port);
  else if (data.type === 'begin') begin(data);
  else if (data.type === 'packet') plays.get(data.play)?.packet(data);
  else if (data.type === 'end') plays.get(data.play)?.end();
  else stop(data.play);
};

function connect(port: MessagePort): void {
  playout = port;
  port.onmessage = ({ data }: MessageEvent<Progress>) => plays.get(data.play)?.played(data.played);
}

function begin({ play, frame, bundle, live }: Extract<ToDecoder, { type: 'begin' }>): void {
  const curve = new LevelCurve();
  const decoding = new Decoding(makeDecoder, frame, {
    chunk: (time, lost, pcm) => {
      if (curve.add(pcm)) tellPage({ type: 'levels', play, levels: curve.values });
      tellPlayout({ type: 'chunk', play, time, lost, pcm }, [pcm.buffer]);
    },
    ended: () => {
      plays.delete(play);
      tellPlayout({ type: 'end', play });
    },
    useless: () => tellPage({ type: 'failed' }),
  });
  plays.set(play, decoding);
  tellPlayout({ type: 'begin', play, frame: frame * bundle, live });
}

function stop(play: number): void {
  plays.get(play)?.close();
  plays.delete(play);
  tellPlayout({ type: 'stop', play });
}

const makeDecoder: MakeDecoder = (output, failed) => {
  const decoder = new AudioDecoder({
    output: (data) => {
      const pcm = new Float32Array(data.numberOfFrames);
      data.copyTo(pcm, { planeIndex: 0, format: 'f32-planar' });
      data.close();
      output(pcm);
    },
    error: failed,
  });
  decoder.configure(DECODING);
  return {
    decode: (payload, time) => {
      if (decoder.state !== 'configured') return;
      const timestamp = (time * 1_000_000) / SAMPLE_RATE;
      try {
        decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp, data: payload }));
      } catch {
        // Some refuse a packet at once; nobody's packet may end the sound of this page.
        queueMicrotask(failed);
      }
    },
    // A failure is told by `failed`; here it only ends the waiting.
    flush: () => decoder.flush().catch(() => {}),
    close: () => {
      if (decoder.state !== 'closed') decoder.close();
    },
  };
};

function tellPlayout(message: ToPlayout, moved: Transferable[] = []): void {
  playout?.postMessage(message, moved);
}

function tellPage(message: FromDecoder): void {
  self.postMessage(message);
}
