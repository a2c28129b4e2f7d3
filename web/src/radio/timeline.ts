import { HEARD_AHEAD, SILENT_BURST } from '../gen/limits';
import { MS } from './frame';

/**
 * Media time outruns its arrival by so many samples at most, and a burst is so much longer than its talk
 * limit: `limits::HEARD_AHEAD`.
 */
export const AHEAD = HEARD_AHEAD * MS;
/** Silence leaves so many of them to sound that the network holds back: `limits::SILENT_BURST`. */
const LEFT = SILENT_BURST * MS;

/**
 * Gives a frame with this media time, which comes at `now` (ms), its place in the burst, in samples
 * from 0; nothing when the burst has its most.
 */
export type Timeline = (mediaTime: number, now: number) => number | undefined;

/**
 * The frames of a burst in time, as far as the clock of its talker is believed (docs/protocol.md 2.4):
 * each behind the one before, with as much silence between as it tells and as there is time for. Sound
 * is not cut for coming early, since what was held comes at once. A frame has `frame` samples, the burst
 * `most` at most.
 */
export function timeline(frame: number, most: number): Timeline {
  /** Media time behind the last frame, by the talker's word. */
  let told: number | undefined;
  /** Behind the last frame. */
  let end = 0;
  /** When that would be due, if it came at the pace of sound. */
  let due = 0;
  return (mediaTime, now) => {
    // Media time may wrap; what is nearer backwards is no silence.
    const silence = (mediaTime - (told ?? mediaTime)) | 0;
    told = mediaTime + frame;
    const come = now * MS;
    due = Math.max(due, come) + frame;
    const left = most - end - frame;
    // Not the other way round: what is no number leaves nothing.
    if (!(left >= 0)) return;
    const believed = Math.max(0, Math.min(silence, left - LEFT, come + AHEAD - LEFT - due));
    due += believed;
    end += believed + frame;
    return end - frame;
  };
}
