import type { BurstNo } from '../gen/BurstNo';
import type { ClientMessage } from '../gen/ClientMessage';
import type { Code } from '../gen/Code';
import type { FrameTime } from '../gen/FrameTime';
import { TALK_LIMIT, VOICE_PAYLOAD_BYTES } from '../gen/limits';
import type { ServerMessage } from '../gen/ServerMessage';
import type { Clock } from './clock';
import { MS, writeFrame } from './frame';
import { LevelCurve } from './levels';
import type { Memory } from './memory';
import type { Button, Microphone, Part } from './model';
import { type Own, ROW_EVERY, rowOf } from './own';
import type { Way } from './ranging';
import { partOf, type Receipt, Receipts } from './receipts';
import { ofEnd, type Refusal, refusal } from './refusal';
import { asFault, type Fault, type Source } from './source';
import type { Store } from './store';

export interface TalkOptions {
  store: Store;
  clock: Clock;
  source: Source;
  memory: Memory;
  /** Whether a press can go out: over the link, and no further than was chosen. */
  way(): Way;
  /** What a press has waited for in vain. */
  missing(): Code;
  /** False when the link is down. */
  send(message: ClientMessage): boolean;
  sendVoice(bytes: Uint8Array<ArrayBuffer>): boolean;
  frameMs(): FrameTime;
  /** For measurements: the first voice frame of a press, and each, has been handed to the socket. */
  onFirstFrame?(pressedAt: number): void;
  onFrameSent?(burst: BurstNo, time: number, at: number): void;
}

/** A press waits so long, with what is said, for the link and for the range that was chosen, in ms. */
const PRE_ROLL = 2_000;
/** A refusal stays on the button at least so long, in ms. */
const REFUSAL_SHOWN = 3_000;

type Aired = Extract<Receipt, { outcome: 'aired' }>;
type Granted = Extract<ServerMessage, { type: 'burst.granted' }>;
type OthersWait = Extract<ServerMessage, { type: 'burst.others_wait' }>;

/**
 * The button: voice leaves with the press, nothing waits for the grant. A press without a link, or without
 * the range that was chosen, waits for a moment, and is then refused. One burst at a time; a press during
 * the tail of the last one ends that tail.
 */
export class Talk {
  #phase: 'idle' | 'opening' | 'live' | 'hang' | 'finishing' = 'idle';
  #held = false;
  /** Pressed again while the last burst is being finished. */
  #again = false;
  #pressedAt = 0;
  #count = 0;
  #limit = TALK_LIMIT;
  /** The burst that others wait for. */
  #awaited: Own | null = null;
  #current: Own | null = null;
  /** Not sent yet; the button may be up already. */
  #waiting: Own | null = null;
  readonly #receipts: Receipts;
  #cancelHang = () => {};
  #cancelRefusal = () => {};
  #cancelWait = () => {};

  constructor(private readonly options: TalkOptions) {
    this.#receipts = new Receipts(options.clock, (own) => this.#lost(own));
  }

  press(): void {
    if (this.#held) return;
    this.#held = true;
    this.#pressedAt = this.options.clock.now();
    this.#again = this.#phase !== 'idle' || this.#waiting !== null;
    if (this.#phase === 'hang') void this.#finish();
    else if (!this.#again) this.#begin();
  }

  release(): void {
    this.#held = false;
    if (this.#phase !== 'live') return;
    this.#phase = 'hang';
    const { clock, source } = this.options;
    if (source.hang > 0) this.#cancelHang = clock.after(source.hang, () => void this.#finish());
    else void this.#finish();
  }

  /** The way of a press that waits may be another one. */
  moved(): void {
    const own = this.#waiting;
    const way = own ? this.options.way() : 'wait';
    if (!own || way === 'wait') return;
    this.#cancelWait();
    this.#waiting = null;
    const frames = own.waiting ?? [];
    own.waiting = null;
    if (way === 'open') this.#letGo(own, frames);
    else this.#withhold(own, way);
  }

  #letGo(own: Own, frames: Uint8Array<ArrayBuffer>[]): void {
    this.#announce(own);
    for (const frame of frames) this.options.sendVoice(frame);
    if (own === this.#current) this.#showTalking(own, false);
    else {
      this.#sendEnd(own);
      this.#next();
    }
  }

  /** Somebody talks, or what they said waits. */
  get isOpen(): boolean {
    return this.#current !== null || this.#waiting !== null;
  }

  granted({ burst, talk_limit_ms }: Granted): void {
    const own = this.#receipts.of(burst);
    if (!own) return;
    this.#limit = talk_limit_ms;
    if (own === this.#current && this.#isOnTheAir()) this.#showTalking(own, true);
    this.options.store.emit({ type: 'permit' });
  }

  /** Somebody began whom the talker would hear. */
  othersWait({ burst, limit_in_ms }: OthersWait): void {
    const own = this.#receipts.of(burst);
    if (!own || own !== this.#current || !this.#isOnTheAir()) return;
    this.#awaited = own;
    this.#limit = this.options.clock.now() - own.since + limit_in_ms;
    this.#showTalking(own, true);
  }

  receipt(receipt: Receipt): void {
    const own = this.#receipts.take(receipt);
    if (!own) return;
    const { store } = this.options;
    const part = partOf(own, receipt);
    if (part) store.setBurst(own.key, { part });
    if (receipt.outcome === 'aired') this.#aired(own, receipt, part);
    else if (!receipt.late) this.#refused(own, receipt.refusal);
    if (receipt.late && part) store.emit({ type: 'late', part });
  }

  /** Link is on the air; `limit` is the server's talk limit in ms. */
  linkUp(limit: number): void {
    this.#limit = limit;
    if (this.#phase === 'idle' && !this.#waiting) this.#rest();
  }

  /** The connection ended: bursts without a receipt are lost. */
  linkLost(): void {
    const lost = this.#receipts.linkLost();
    for (const own of lost) this.#showLost(own);
    if (this.#current && lost.includes(this.#current)) this.#stop();
    if (lost.length > 0) this.#deny(refusal('link_lost'));
    else if (this.#phase === 'idle' && !this.#waiting) this.#rest();
  }

  /** The microphone went away. */
  fault(why: Fault): void {
    this.options.store.set({ microphone: why });
    if (this.#isOnTheAir()) void this.#finish();
    this.#setButton({ state: 'no_microphone', why });
  }

  #isOnTheAir(): boolean {
    return this.#phase === 'live' || this.#phase === 'hang';
  }

  #begin(): void {
    this.#again = false;
    this.#cancelRefusal();
    const way = this.#receipts.isFull ? 'already_talking' : this.options.way();
    if (way !== 'open' && way !== 'wait') {
      this.#count += 1;
      this.#denyUnsent(way);
    } else if (this.options.source.ready) this.#start(way === 'wait');
    else void this.#warmUp();
  }

  /** The first press asks for the microphone; voice begins when it is there and still wanted. */
  async #warmUp(): Promise<void> {
    this.#phase = 'opening';
    this.#setMicrophone('asking');
    try {
      await this.options.source.open();
    } catch (thrown) {
      this.#phase = 'idle';
      this.fault(asFault(thrown));
      return;
    }
    this.#phase = 'idle';
    this.#setMicrophone('ready');
    if (this.#held) this.#begin();
    else this.#rest();
  }

  #start(waits: boolean): void {
    const { store, source, memory, clock } = this.options;
    const { channel } = store.state;
    const frameMs = this.options.frameMs();
    this.#count += 1;
    const own: Own = {
      no: this.#count,
      key: `own-${this.#count}`,
      frameMs,
      frames: 0,
      channel,
      since: this.#pressedAt,
      pressedAt: this.#pressedAt,
      curve: new LevelCurve(),
      recording: memory.record(`own-${this.#count}`, channel, frameMs),
      waiting: waits ? [] : null,
    };
    this.#phase = 'live';
    this.#current = own;
    if (waits) {
      this.#waiting = own;
      this.#cancelWait = clock.after(PRE_ROLL, () => this.#giveUp(own));
      this.#setButton({ state: 'waiting' });
    } else {
      this.#announce(own);
      this.#showTalking(own, false);
    }
    try {
      source.begin(frameMs, {
        pcm: (pcm) => own.curve.add(pcm),
        packet: (payload, at) => this.#packet(own, payload, at),
      });
    } catch (thrown) {
      // Nothing was said that could still go out.
      this.#cancelWait();
      this.#waiting = null;
      this.fault(asFault(thrown));
    }
  }

  /** It goes out, and its receipt is due. */
  #announce(own: Own): void {
    const { store, clock, send } = this.options;
    const { no: burst, channel, frameMs: frame_ms } = own;
    this.#receipts.add(own);
    own.since = clock.now();
    send({ type: 'burst.start', channel, burst, codec: 'opus', frame_ms });
    store.addBurst(rowOf(own, store.state));
  }

  #sendEnd(own: Own): void {
    this.options.send({ type: 'burst.end', burst: own.no, frames: own.frames });
    this.#receipts.sent(own);
  }

  /** What it waited for did not come in time: old words are not sent late. */
  #giveUp(own: Own): void {
    this.#waiting = null;
    own.waiting = null;
    this.#withhold(own, this.options.missing());
  }

  /** Nothing of it was sent. */
  #withhold(own: Own, why: Code): void {
    const live = own === this.#current;
    if (live) this.#stop();
    this.#denyUnsent(why);
    if (!live) this.#next();
  }

  #packet(own: Own, payload: Uint8Array<ArrayBuffer>, at: number): void {
    const sent = this.#receipts.of(own.no) === own;
    if (!(sent || own.waiting) || payload.length > VOICE_PAYLOAD_BYTES) return;
    const mediaTime = own.frames * own.frameMs * MS;
    const frame = { burst: own.no, seq: own.frames, mediaTime, last: false, payload };
    const bytes = writeFrame(frame);
    if (own.waiting) own.waiting.push(bytes);
    else if (!this.options.sendVoice(bytes)) return;
    if (own.frames === 0) this.options.onFirstFrame?.(own.pressedAt);
    this.options.onFrameSent?.(own.no, mediaTime, at);
    own.frames += 1;
    own.recording.add({ time: mediaTime, lost: false, payload });
    if (own.frames % ROW_EVERY === 0) this.#drawRow(own);
  }

  #drawRow(own: Own): void {
    this.options.store.setBurst(own.key, {
      length: own.frames * own.frameMs,
      levels: own.curve.values,
    });
  }

  /** Hands out the tail, ends the burst, and begins the next one when the button is held again. */
  async #finish(): Promise<void> {
    const own = this.#current;
    if (!own || this.#phase === 'finishing') return;
    this.#cancelHang();
    this.#phase = 'finishing';
    await this.#drain();
    if (this.#current !== own) return;
    if (this.#receipts.of(own.no)) this.#sendEnd(own);
    this.#close(own);
  }

  /** The server or the link ended it: what still comes from the microphone is dropped. */
  #stop(): void {
    const own = this.#current;
    if (!own || this.#phase === 'finishing') return;
    this.#cancelHang();
    this.#phase = 'finishing';
    void this.#drain().then(() => {
      if (this.#current === own) this.#close(own);
    });
  }

  /** A source that throws gives nothing more; if it has failed for good, the next press says so. */
  #drain(): Promise<void> {
    return this.options.source.finish().catch(() => {});
  }

  #close(own: Own): void {
    this.#drawRow(own);
    own.recording.finish();
    this.#current = null;
    this.#phase = 'idle';
    if (!this.#waiting) this.#next();
  }

  /** The button was pressed again meanwhile, or rests. */
  #next(): void {
    const { state } = this.options.store.state.button;
    if (this.#again && this.#held) this.#begin();
    else if (state === 'talking' || state === 'waiting') this.#rest();
  }

  #aired(own: Own, { ended, dropped, late }: Aired, part?: Part): void {
    const { store } = this.options;
    const { kept: replayable } = own.recording;
    store.setBurst(own.key, { state: 'sent', ended, replayable, dropped: dropped?.refusal.code });
    if (late) return;
    store.emit({ type: 'sent', ended, ...(part && { part }) });
    if (own !== this.#current || !this.#isOnTheAir()) return;
    this.#stop();
    if (ended !== 'released') this.#deny(ofEnd(ended));
  }

  #refused(own: Own, refusal: Refusal): void {
    this.options.store.setBurst(own.key, { state: 'refused', replayable: false });
    if (own === this.#current) this.#stop();
    this.#deny(refusal);
  }

  /** The server does not say what became of it. */
  #lost(own: Own): void {
    this.#showLost(own);
    if (this.isOpen) this.options.store.emit({ type: 'deny', refusal: refusal('link_lost') });
    else this.#deny(refusal('link_lost'));
  }

  #showLost({ key }: Own): void {
    this.options.store.setBurst(key, { state: 'refused', ended: 'talker_lost' });
  }

  #denyUnsent(why: Code): void {
    if (why === 'link_lost') {
      this.options.store.emit({ type: 'deny', refusal: refusal('link_lost') });
      this.#rest();
    } else this.#deny(refusal(why));
  }

  #deny(refusal: Refusal): void {
    const { store, clock } = this.options;
    const shown = Math.max(REFUSAL_SHOWN, refusal.retry_after_ms ?? 0);
    store.emit({ type: 'deny', refusal });
    this.#setButton({ state: 'refused', refusal, until: clock.now() + shown });
    this.#cancelRefusal();
    this.#cancelRefusal = clock.after(shown, () => {
      if (store.state.button.state === 'refused') this.#rest();
    });
  }

  #showTalking(own: Own, granted: boolean): void {
    const others = this.#awaited === own;
    this.#setButton({ state: 'talking', since: own.since, limit: this.#limit, granted, others });
  }

  /** The button as it is when nothing goes on. */
  #rest(): void {
    const up = this.options.store.state.link.state === 'on_the_air';
    this.#setButton(up ? { state: 'ready' } : { state: 'no_link' });
  }

  #setButton(button: Button): void {
    this.options.store.set({ button });
  }

  #setMicrophone(microphone: Microphone): void {
    this.options.store.set({ microphone });
  }
}
