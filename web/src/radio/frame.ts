import { SAMPLE_RATE, VOICE_HEADER_BYTES, VOICE_PAYLOAD_BYTES } from '../gen/limits';

/** The voice frame, docs/protocol.md 2.6: the only binary message, big-endian. */

export { SAMPLE_RATE };
/** Samples of a millisecond. */
export const MS = SAMPLE_RATE / 1000;

const VERSION_AND_KIND = 0x10;
const LAST = 0x01;

export interface VoiceFrame {
  /** The talker's number on the way up, the server's on the way down. */
  burst: number;
  /** Counts frames from 0; a hole is a loss. */
  seq: number;
  /** Position of the first sample, at 48 kHz; a hole without a loss is silence. */
  mediaTime: number;
  /** True on the last frame of a burst. */
  last: boolean;
  /** One Opus packet, 1 to 400 bytes. */
  payload: Uint8Array<ArrayBuffer>;
}

/** Why bytes are no voice frame. */
export type FrameError = 'short' | 'long' | 'version' | 'flags';

/** Parses one binary message. The payload is a view into `buffer`. */
export function parseFrame(buffer: ArrayBuffer): VoiceFrame | FrameError {
  if (buffer.byteLength < VOICE_HEADER_BYTES) return 'short';
  const view = new DataView(buffer);
  const flags = view.getUint8(1);
  if (view.getUint8(0) !== VERSION_AND_KIND) return 'version';
  if ((flags & ~LAST) !== 0) return 'flags';
  if (buffer.byteLength === VOICE_HEADER_BYTES) return 'short';
  if (buffer.byteLength > VOICE_HEADER_BYTES + VOICE_PAYLOAD_BYTES) return 'long';
  return {
    burst: view.getUint32(2),
    seq: view.getUint16(6),
    mediaTime: view.getUint32(8),
    last: (flags & LAST) !== 0,
    payload: new Uint8Array(buffer, VOICE_HEADER_BYTES),
  };
}

/** Header and payload as one message. */
export function writeFrame(frame: VoiceFrame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(VOICE_HEADER_BYTES + frame.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION_AND_KIND);
  view.setUint8(1, frame.last ? LAST : 0);
  view.setUint32(2, frame.burst);
  view.setUint16(6, frame.seq);
  view.setUint32(8, frame.mediaTime);
  bytes.set(frame.payload, VOICE_HEADER_BYTES);
  return bytes;
}
