import type { BurstNo } from '../gen/BurstNo';
import type { FrameTime } from '../gen/FrameTime';
import type { LevelCurve } from './levels';
import type { Recording } from './memory';

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
