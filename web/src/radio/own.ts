import type { BurstNo } from '../gen/BurstNo';
import type { FrameTime } from '../gen/FrameTime';
import type { LevelCurve } from './levels';
import type { Recording } from './memory';
import type { Burst, RadioState } from './model';

/** The row on the air is drawn again after so many packets. */
export const ROW_EVERY = 5;

/** One press to its receipt. */
export interface Own {
  no: BurstNo;
  key: string;
  frameMs: FrameTime;
  frames: number;
  channel: string;
  /** When it was pressed, or went out after it had waited. */
  since: number;
  pressedAt: number;
  curve: LevelCurve;
  recording: Recording;
  /** Frames that wait with the press; null once it went out, or was refused. */
  waiting: Uint8Array<ArrayBuffer>[] | null;
}

/** Its row on the air. */
export function rowOf({ key, channel }: Own, { me, self }: RadioState): Burst {
  return {
    key,
    channel,
    talker: { id: self ?? 0, handle: me?.handle ?? '', tag: me?.tag ?? '' },
    own: true,
    state: 'talking',
    length: 0,
    levels: [],
    gaps: 0,
    replayable: false,
  };
}
