import type { BurstNo } from '../gen/BurstNo';
import type { EndReason } from '../gen/EndReason';
import type { Heard as HeardSoFar } from '../gen/Heard';
import { BUNDLE_TIME, HOLD_RANGE_MOST, RESUME_BURSTS, TALK_LIMIT_RANGE_MOST } from '../gen/limits';
import type { Resume } from '../gen/Resume';
import type { ServerMessage } from '../gen/ServerMessage';
import type { Clock } from './clock';
import type { VoiceFrame } from './frame';
import { MS } from './frame';
import { another, look, withHeard } from './heardBefore';
import type { Memory, Packet, Recording } from './memory';
import type { Burst } from './model';
import { ROW_EVERY } from './own';
import type { Store } from './store';
import type { Timeline } from './timeline';
import { AHEAD, timeline } from './timeline';
import type { Turn } from './turns';
import { HeardLately, LAG_LIMIT } from './turns';

/** What decodes and plays. A play is one playing of one burst. */
export interface Player {
  /**
   * A packet sounds for `frame` samples, and `bundle` packets come together. A `live` burst may catch up
   * in pauses, one from memory keeps them.
   */
  begin(play: number, frame: number, bundle: number, live: boolean): void;
  packet(play: number, packet: Packet): void;
  end(play: number): void;
  stop(play: number): void;
}

type Started = Extract<ServerMessage, { type: 'burst.started' }>;
type Gap = Extract<ServerMessage, { type: 'burst.gap' }>;
type Ended = Extract<ServerMessage, { type: 'burst.ended' }>;

/** A burst that is still coming in. */
interface Live {
  no: BurstNo;
  recording: Recording;
  place: Timeline;
  /** The sequence number it waits for; null until the first frame of a late entry. */
  next: number | null;
  /** What came before this number was heard before the burst went out of range. */
  from: number;
  lost: boolean;
  gaps: number;
  /** When something of it came last, or the link. */
  touched: number;
}

/** A burst of which nothing came for so long after the server's hold is taken as lost, in ms. */
const BURST_LOST = 5_000;
/** What begins to play later than so many ms after it was said is not on the air now. */
const LATE = 1_000;
/** So many are remembered to have been told of; then all are forgotten. */
const TOLD = 1000;

/**
 * What is heard: bursts of a channel one after the other, whole. One that waits for its turn lies in
 * memory as packets; one that has waited for too long is not played, and can be said again.
 */
export class Hear {
  readonly #live = new Map<BurstNo, Live>();
  /** Bursts that went out of range, which may come back, and the number they stood at. */
  readonly #beyond = new Map<BurstNo, number>();
  #newest: BurstNo | undefined;
  /** The longest burst, in samples. */
  #most = 0;
  #patience = HOLD_RANGE_MOST + BURST_LOST;
  #count = 0;
  #plays = 0;
  /** Whose handle was said to have been another's. */
  readonly #told = new Set<string>();
  /** The first of each queue is playing. */
  readonly #queues = new Map<string, Turn[]>();
  readonly #lately = new HeardLately();

  constructor(
    private readonly store: Store,
    private readonly memory: Memory,
    private readonly player: Player,
    private readonly clock: Clock,
    /** Frames that this page wishes to get at once. */
    private readonly wished: () => number,
  ) {}

  /** The link is up. The server's talk limit and hold, in ms. */
  welcomed(talkLimit: number, hold: number): void {
    this.#patience = Math.min(hold, HOLD_RANGE_MOST) + BURST_LOST;
    const now = this.clock.now();
    for (const live of this.#live.values()) live.touched = now;
    this.#most = Math.min(talkLimit, TALK_LIMIT_RANGE_MOST) * MS + AHEAD;
  }

  started({ burst, channel, talker, frame_ms, grade, bundle = 1 }: Started): void {
    // Announced again after a resume: it goes on where it was.
    if (this.#live.has(burst)) return;
    this.#newest = Math.max(this.#newest ?? 0, burst);
    this.#count += 1;
    const key = `heard-${this.#count}`;
    const recording = this.memory.record(key, channel, frame_ms);
    const from = this.#beyond.get(burst) ?? 0;
    this.#beyond.delete(burst);
    const place = timeline(frame_ms * MS, this.#most);
    const touched = this.clock.now();
    const live = { no: burst, recording, place, next: null, from, lost: false, gaps: 0, touched };
    this.#live.set(burst, live);
    this.#watch(live);
    const { known } = this.store.state;
    const earlier = another(known, talker);
    if (earlier === undefined) this.store.set({ known: withHeard(known, talker) });
    this.store.addBurst({
      key,
      channel,
      talker,
      ...(earlier !== undefined && { another: earlier }),
      own: false,
      state: 'waiting',
      length: 0,
      levels: [],
      gaps: 0,
      replayable: true,
      ...(grade !== undefined && { grade }),
    });
    const together = Math.min(Math.max(bundle, this.wished()), Math.floor(BUNDLE_TIME / frame_ms));
    this.#enqueue({ recording, talker: talker.tag, again: false, play: null, bundle: together });
  }

  frame({ burst, seq, mediaTime, payload }: VoiceFrame): void {
    const live = this.#live.get(burst);
    if (!live) return;
    const now = this.clock.now();
    live.touched = now;
    if (seq < (live.next ?? live.from)) return;
    const time = live.place(mediaTime, now);
    if (time === undefined) return;
    if (live.next !== null && seq > live.next) this.#miss(live, seq - live.next);
    live.next = seq + 1;
    const packet = { time, lost: live.lost, payload };
    live.lost = false;
    live.recording.add(packet);
    if (live.recording.packets.length === 1) this.#limitWait(live.recording);
    const play = this.#playing(live.recording);
    if (play !== null) this.player.packet(play, packet);
    if (live.recording.packets.length % ROW_EVERY === 0) this.#drawRow(live);
  }

  gap({ burst, from, to }: Gap): void {
    const live = this.#live.get(burst);
    if (!live) return;
    live.touched = this.clock.now();
    this.#miss(live, to - Math.max(from, live.next ?? from));
    live.next = to;
  }

  ended({ burst, frames, reason }: Ended): void {
    const live = this.#live.get(burst);
    if (!live) return;
    if (live.next !== null && frames > live.next) this.#miss(live, frames - live.next);
    if (reason === 'out_of_range') this.#remember(burst, live.next ?? live.from);
    this.#end(live, reason);
  }

  /** What a resume says of the bursts so far. */
  heard(): Omit<Resume, 'token'> {
    const have: HeardSoFar[] = [...this.#live.values()]
      .slice(-RESUME_BURSTS)
      .map(({ no, next, from }) => ({ burst: no, next: next ?? from }));
    return this.#newest === undefined ? { have } : { newest: this.#newest, have };
  }

  /** The session is a new one: bursts that were coming in will not go on. */
  restarted(): void {
    for (const live of this.#live.values()) this.#end(live, 'talker_lost');
    this.#newest = undefined;
    this.#beyond.clear();
  }

  /** Left a channel: nothing of it is played any more. */
  left(channel: string): void {
    for (const live of this.#live.values()) {
      if (live.recording.channel === channel) this.#end(live, 'untuned');
    }
    const turns = this.#queues.get(channel) ?? [];
    this.#queues.delete(channel);
    for (const turn of turns) {
      if (turn.play !== null) this.player.stop(turn.play);
      this.#showPlayed(turn);
    }
  }

  /** Plays a burst once more, next in its channel. */
  sayAgain(key: string): void {
    const recording = this.memory.find(key);
    if (!recording?.finished || recording.packets.length === 0) return;
    const turns = this.#queues.get(recording.channel) ?? [];
    if (turns.some((turn) => turn.recording === recording)) return;
    this.store.setBurst(key, { state: 'waiting' });
    this.#enqueue({ recording, talker: '', again: true, play: null, bundle: 1 }, 1);
  }

  /** The player has played all of it. */
  finished(play: number): void {
    for (const [channel, turns] of this.#queues) {
      const turn = turns[0];
      if (turn?.play !== play) continue;
      turns.shift();
      if (!turn.again) this.#lately.add(turn, this.clock.now());
      this.#showPlayed(turn);
      const row = this.store.burst(turn.recording.key);
      if (row && !turn.again) this.store.emit({ type: 'roger', talker: row.talker, channel });
      this.#next(channel);
      return;
    }
  }

  /** The level curve so far, as it is decoded. */
  levels(play: number, levels: number[]): void {
    const turn = [...this.#queues.values()].flat().find((turn) => turn.play === play);
    if (turn && !turn.again) this.store.setBurst(turn.recording.key, { levels });
  }

  #enqueue(turn: Turn, at?: number): void {
    const { channel } = turn.recording;
    turn.recording.waits = true;
    const turns = this.#queues.get(channel) ?? [];
    this.#queues.set(channel, turns);
    turns.splice(at ?? turns.length, 0, turn);
    if (turns[0] === turn) this.#next(channel);
  }

  #next(channel: string): void {
    const turns = this.#queues.get(channel) ?? [];
    for (const turn of turns.filter(({ recording }) => !recording.kept || isEmpty(recording))) {
      turns.splice(turns.indexOf(turn), 1);
      // It came without a sound, or was forgotten while it waited.
      if (turn.recording.kept || turn.again) this.#showPlayed(turn);
      else this.#showMissed(turn.recording);
    }
    const next = this.#lately.bringNext(turns, this.clock.now());
    if (next) this.#begin(next);
    else this.#queues.delete(channel);
  }

  /** Nobody wants to hear what was said long ago as if it were said now. */
  #limitWait(recording: Recording): void {
    this.clock.after(LAG_LIMIT, () => {
      const turns = this.#queues.get(recording.channel) ?? [];
      const at = turns.findIndex((turn) => turn.recording === recording && !turn.again);
      if (at < 0 || turns[at]?.play !== null) return;
      turns.splice(at, 1);
      this.#showMissed(recording);
    });
  }

  #showMissed(recording: Recording): void {
    recording.waits = false;
    this.store.setBurst(recording.key, { state: 'missed', replayable: recording.kept });
    const count = this.store.state.air.filter(({ state }) => state === 'missed').length;
    this.store.emit({ type: 'missed', count });
  }

  #begin(turn: Turn): void {
    const { recording } = turn;
    this.#plays += 1;
    const play = this.#plays;
    turn.play = play;
    recording.waits = false;
    const live = recording.packets.length === 0;
    this.player.begin(play, recording.frameMs * MS, turn.bundle, live);
    for (const packet of recording.packets) this.player.packet(play, packet);
    if (recording.finished) this.player.end(play);
    const late = this.clock.now() - (recording.came ?? this.clock.now());
    this.store.setBurst(recording.key, { state: 'playing', late: late >= LATE ? late : undefined });
    const row = this.store.burst(recording.key);
    if (!row || turn.again) return;
    const { talker } = row;
    const told = this.#isNews(row) && { another: row.another };
    this.store.emit({ type: 'incoming', talker, channel: recording.channel, ...told });
  }

  /** True the first time that somebody is heard with a handle that was another's. */
  #isNews({ talker, another }: Burst): boolean {
    if (another === undefined) return false;
    const who = `${talker.tag} ${look(talker.handle)}`;
    if (this.#told.has(who)) return false;
    if (this.#told.size >= TOLD) this.#told.clear();
    this.#told.add(who);
    return true;
  }

  #remember(burst: BurstNo, stood: number): void {
    this.#beyond.set(burst, stood);
    const [oldest] = this.#beyond.keys();
    if (oldest !== undefined && this.#beyond.size > RESUME_BURSTS) this.#beyond.delete(oldest);
  }

  /** One that the server forgot to end would keep its channel for good. */
  #watch(live: Live): void {
    if (this.#live.get(live.no) !== live) return;
    const left = live.touched + this.#patience - this.clock.now();
    if (left > 0) this.clock.after(left, () => this.#watch(live));
    else this.#end(live, 'talker_lost');
  }

  #miss(live: Live, frames: number): void {
    if (frames <= 0) return;
    live.gaps += frames;
    live.lost = true;
  }

  #end(live: Live, reason: EndReason): void {
    this.#live.delete(live.no);
    live.recording.finish();
    this.#drawRow(live);
    this.store.setBurst(live.recording.key, { ended: reason });
    const play = this.#playing(live.recording);
    if (play !== null) this.player.end(play);
  }

  #drawRow(live: Live): void {
    const { key, length } = live.recording;
    this.store.setBurst(key, { length, gaps: live.gaps });
  }

  #showPlayed({ recording, again }: Turn): void {
    recording.waits = false;
    const own = this.store.burst(recording.key)?.own ?? false;
    this.store.setBurst(recording.key, {
      state: again && own ? 'sent' : 'played',
      replayable: recording.kept,
    });
  }

  /** The play of a burst whose turn it is for the first time. */
  #playing(recording: Recording): number | null {
    const turn = this.#queues.get(recording.channel)?.[0];
    return turn?.recording === recording && !turn.again ? turn.play : null;
  }
}

function isEmpty(recording: Recording): boolean {
  return recording.finished && recording.packets.length === 0;
}
