import type { FrameTime } from '../gen/FrameTime';
import { SAMPLE_RATE } from './frame';
import type { Trouble } from './model';

/** Bits a second, by frame time: 60 ms is what low data uses. */
const BITRATE: Record<FrameTime, number> = { 20: 28_000, 40: 24_000, 60: 16_000 };

/** How voice is heard. */
export const DECODING: AudioDecoderConfig = {
  codec: 'opus',
  sampleRate: SAMPLE_RATE,
  numberOfChannels: 1,
};

/** How voice is sent, in packets of `frameMs`. */
export function encoding(frameMs: FrameTime): AudioEncoderConfig {
  // `application` and `signal` are newer than TypeScript's library; browsers ignore what they do not know.
  const opus: OpusEncoderConfig & { application: string; signal: string } = {
    frameDuration: frameMs * 1000,
    application: 'voip',
    signal: 'voice',
  };
  return { ...DECODING, bitrate: BITRATE[frameMs], opus };
}

/** What this browser cannot do with voice, if anything. It is told before anybody is missed. */
export async function lacking(): Promise<Trouble | null> {
  const worklets = typeof AudioWorkletNode === 'function';
  const hears = worklets && (await takes(globalThis.AudioDecoder, DECODING));
  // Without https (or localhost) a browser has no microphone to offer.
  const asks = worklets && navigator.mediaDevices !== undefined;
  const talks = asks && (await takes(globalThis.AudioEncoder, encoding(20)));
  if (hears) return talks ? null : 'no_encoder';
  return talks ? 'no_decoder' : 'no_voice';
}

/** Whether others are heard in spite of it. */
export function hears(trouble: Trouble | null): boolean {
  return trouble === null || trouble === 'no_encoder' || trouble === 'page';
}

interface Codec<Config> {
  isConfigSupported(config: Config): Promise<{ supported?: boolean }>;
}

async function takes<Config>(codec: Codec<Config> | undefined, config: Config): Promise<boolean> {
  try {
    return (await codec?.isConfigSupported(config))?.supported === true;
  } catch {
    return false;
  }
}
