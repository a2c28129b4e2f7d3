import { beforeEach, describe, expect, test } from 'vitest';
import type { ClientMessage } from '../gen/ClientMessage';
import { parseFrame } from './frame';
import { Memory } from './memory';
import type { RadioEvent } from './model';
import type { Way } from './ranging';
import type { Fault, Sink, Source } from './source';
import { Store } from './store';
import { Talk } from './talk';
import { settle, VirtualClock } from './testing/clock';

/** A microphone that a test speaks into. */
class FakeSource implements Source {
  readonly hang = 150;
  ready = true;
  /** What `open` throws: a fault, or what nobody foresaw. */
  fault: Fault | object | null = null;
  /** What `begin` and `finish` throw. */
  broken: object | null = null;
  sink: Sink | null = null;
  opened: (() => void) | null = null;
  finished: (() => void) | null = null;
  /** Packets that still come out when the burst is finished. */
  tail = 1;

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.opened = () => {
        this.ready = this.fault === null;
        if (this.fault !== null) reject(this.fault);
        else resolve();
      };
    });
  }
  begin(_frameMs: number, sink: Sink): void {
    if (this.broken) throw this.broken;
    this.sink = sink;
  }
  finish(): Promise<void> {
    if (this.broken) return Promise.reject(this.broken);
    return new Promise((resolve) => {
      this.finished = () => {
        this.speak(this.tail);
        this.sink = null;
        resolve();
      };
    });
  }
  speak(packets: number): void {
    for (let i = 0; i < packets; i += 1) {
      this.sink?.pcm(new Float32Array(960).fill(0.1));
      this.sink?.packet(Uint8Array.of(8, i), 0);
    }
  }
}

let store: Store;
let clock: VirtualClock;
let source: FakeSource;
let wire: (ClientMessage | { voice: number; seq: number; time: number })[];
let events: RadioEvent[];
let talk: Talk;
let frameMs: 20 | 60;
let way: Way;

const button = () => store.state.button;
const row = () => store.state.air.at(-1);
const types = () =>
  wire.map((one) => ('voice' in one ? `voice ${one.voice}.${one.seq}` : one.type));
const aired = (
  burst: number,
  ended: 'released' | 'talk_limit' | 'courtesy' | 'silent' = 'released',
) => talk.receipt({ type: 'receipt', burst, outcome: 'aired', frames: 1, ended });

async function finishSource(): Promise<void> {
  source.finished?.();
  await settle();
}

beforeEach(() => {
  store = new Store('Tenfour', '19');
  clock = new VirtualClock();
  source = new FakeSource();
  [wire, events, frameMs, way] = [[], [], 20, 'open'];
  store.on((event) => events.push(event));
  talk = new Talk({
    store,
    clock,
    source,
    memory: new Memory(clock, () => {}),
    way: () => way,
    missing: () => 'link_lost',
    send: (message) => wire.push(message) > 0,
    sendVoice: (bytes) => {
      const frame = parseFrame(bytes.buffer);
      if (typeof frame === 'string') throw new Error(frame);
      return wire.push({ voice: frame.burst, seq: frame.seq, time: frame.mediaTime }) > 0;
    },
    frameMs: () => frameMs,
  });
  store.set({ link: { state: 'on_the_air' } });
  talk.linkUp(60_000);
});

describe('the button', () => {
  test('sends voice with the press, before any grant, and the tail after the release', async () => {
    talk.press();
    source.speak(2);
    expect(types()).toEqual(['burst.start', 'voice 1.0', 'voice 1.1']);
    expect(button()).toMatchObject({ state: 'talking', granted: false });
    talk.granted({ type: 'burst.granted', burst: 1, talk_limit_ms: 5_000 });
    expect(button()).toMatchObject({ state: 'talking', granted: true, limit: 5_000 });
    talk.release();
    await clock.pass(149);
    source.speak(1);
    expect(source.finished).toBeNull();
    await clock.pass(1);
    await finishSource();
    expect(types().slice(3)).toEqual(['voice 1.2', 'voice 1.3', 'burst.end']);
    expect(wire.at(-1)).toEqual({ type: 'burst.end', burst: 1, frames: 4 });
    expect(button()).toEqual({ state: 'ready' });
    aired(1);
    expect(row()).toMatchObject({ state: 'sent', length: 80, own: true, replayable: true });
    expect(events.map(({ type }) => type)).toEqual(['permit', 'sent']);
  });

  test('may not go on for long when others wait, and says why it ended', async () => {
    talk.press();
    talk.granted({ type: 'burst.granted', burst: 1, talk_limit_ms: 60_000 });
    await clock.pass(4_000);
    talk.othersWait({ type: 'burst.others_wait', burst: 1, others: 1, limit_in_ms: 8_000 });
    expect(button()).toMatchObject({ state: 'talking', limit: 12_000, others: true });
    talk.othersWait({ type: 'burst.others_wait', burst: 9, others: 1, limit_in_ms: 1 });
    expect(button()).toMatchObject({ limit: 12_000 });
    aired(1, 'courtesy');
    await finishSource();
    const refusal = { code: 'resting', retry_after_ms: 3_000 };
    expect(button()).toMatchObject({ state: 'refused', refusal });
    talk.release();
    await clock.pass(3_000);
    talk.press();
    talk.granted({ type: 'burst.granted', burst: 2, talk_limit_ms: 60_000 });
    expect(button()).toMatchObject({ state: 'talking', limit: 60_000, others: false });
  });

  test('counts media time in frames of the burst', () => {
    frameMs = 60;
    talk.press();
    source.speak(3);
    expect(wire.slice(1)).toMatchObject([{ time: 0 }, { time: 2_880 }, { time: 5_760 }]);
    expect(wire[0]).toMatchObject({ frame_ms: 60, codec: 'opus', channel: '19' });
  });

  test('asks for the microphone at the first press and begins when it is there', async () => {
    source.ready = false;
    talk.press();
    expect(store.state.microphone).toBe('asking');
    expect(wire).toEqual([]);
    source.opened?.();
    await settle();
    expect(store.state.microphone).toBe('ready');
    expect(types()).toEqual(['burst.start']);
  });

  test('sends nothing when it was released before the microphone was there', async () => {
    source.ready = false;
    talk.press();
    talk.release();
    source.opened?.();
    await settle();
    expect(wire).toEqual([]);
    expect(button()).toEqual({ state: 'ready' });
  });

  test.each(['refused', 'missing', 'unsupported', 'interrupted', 'broken'] as const)(
    'tells of a microphone that is %s',
    async (why) => {
      source.ready = false;
      source.fault = why;
      talk.press();
      source.opened?.();
      await settle();
      expect(button()).toEqual({ state: 'no_microphone', why });
      expect(store.state.microphone).toBe(why);
      talk.release();
      source.fault = null;
      talk.press();
      source.opened?.();
      await settle();
      expect(button().state).toBe('talking');
    },
  );

  test.each([new DOMException('a call', 'InvalidStateError'), new TypeError('x is null'), {}])(
    'whatever the microphone throws is a fault with words: %s',
    async (thrown) => {
      source.ready = false;
      source.fault = thrown;
      talk.press();
      source.opened?.();
      await settle();
      expect(button()).toEqual({ state: 'no_microphone', why: 'broken' });
      expect(store.state.microphone).toBe('broken');
    },
  );

  test('a microphone that breaks at the press or at the end leaves the button free', async () => {
    source.broken = new DOMException('closed codec', 'InvalidStateError');
    talk.press();
    await settle();
    expect(button()).toEqual({ state: 'no_microphone', why: 'broken' });
    expect(types()).toEqual(['burst.start', 'burst.end']);
    talk.release();
    way = 'wait';
    talk.press();
    await clock.pass(3_000);
    expect(button()).toEqual({ state: 'no_microphone', why: 'broken' });
    talk.release();
    [source.broken, way] = [null, 'open'];
    talk.press();
    source.speak(1);
    source.broken = new TypeError('x is null');
    talk.release();
    await clock.pass(150);
    expect(button()).toEqual({ state: 'ready' });
    source.broken = null;
    talk.press();
    expect(button().state).toBe('talking');
  });

  test('pressed again during the tail ends that tail and begins the next burst', async () => {
    talk.press();
    source.speak(1);
    talk.release();
    await clock.pass(50);
    talk.press();
    await finishSource();
    source.speak(1);
    expect(types()).toEqual([
      'burst.start',
      'voice 1.0',
      'voice 1.1',
      'burst.end',
      'burst.start',
      'voice 2.0',
    ]);
    expect(button().state).toBe('talking');
    await clock.pass(1_000);
    expect(types().at(-1)).toBe('voice 2.0');
  });

  test('shows a refusal, sends no more, and is ready again', async () => {
    talk.press();
    source.speak(1);
    const refusal = {
      code: 'channel_busy' as const,
      message: 'm',
      hint: 'h',
      retry_after_ms: 5_000,
    };
    talk.receipt({ type: 'receipt', burst: 1, outcome: 'refused', refusal });
    expect(button()).toEqual({ state: 'refused', refusal, until: 5_000 });
    source.speak(3);
    await finishSource();
    expect(types()).toEqual(['burst.start', 'voice 1.0']);
    expect(row()?.state).toBe('refused');
    talk.release();
    await clock.pass(5_000);
    expect(button()).toEqual({ state: 'ready' });
    expect(events).toEqual([{ type: 'deny', refusal }]);
  });

  test('tells of the talk limit while it is held', async () => {
    talk.press();
    source.speak(1);
    aired(1, 'talk_limit');
    await finishSource();
    expect(button()).toMatchObject({ state: 'refused', refusal: { code: 'talk_limit' } });
    expect(types()).not.toContain('burst.end');
    talk.release();
    talk.press();
    expect(button().state).toBe('talking');
    expect(wire.at(-1)).toMatchObject({ type: 'burst.start', burst: 2 });
  });

  test('tells link_lost of every burst without a receipt when the link is lost', async () => {
    talk.press();
    source.speak(1);
    talk.release();
    await clock.pass(150);
    await finishSource();
    talk.press();
    source.speak(1);
    store.set({ link: { state: 'coming_back', retryAt: 0, why: 'lost' } });
    talk.linkLost();
    await finishSource();
    expect(store.state.air.map(({ state }) => state)).toEqual(['refused', 'refused']);
    expect(events).toMatchObject([{ type: 'deny', refusal: { code: 'link_lost' } }]);
    await clock.pass(3_000);
    expect(button()).toEqual({ state: 'no_link' });
  });

  test('says that there is no link', () => {
    store.set({ link: { state: 'coming_back', retryAt: 0, why: 'lost' } });
    way = 'link_lost';
    talk.press();
    expect(button()).toEqual({ state: 'no_link' });
    expect(events).toMatchObject([{ type: 'deny', refusal: { code: 'link_lost' } }]);
    expect(wire).toEqual([]);
  });

  test('keeps a press back with its voice, shows that, and lets both go together', () => {
    way = 'wait';
    talk.press();
    source.speak(2);
    expect(button()).toEqual({ state: 'waiting' });
    expect(wire).toEqual([]);
    talk.moved();
    expect(wire).toEqual([]);
    way = 'open';
    talk.moved();
    source.speak(1);
    expect(types()).toEqual(['burst.start', 'voice 1.0', 'voice 1.1', 'voice 1.2']);
    expect(button()).toMatchObject({ state: 'talking', granted: false });
  });

  test('forgets a press that waited in vain, and begins anew with the next', async () => {
    way = 'wait';
    talk.press();
    source.speak(2);
    store.set({ link: { state: 'coming_back', retryAt: 0, why: 'lost' } });
    await clock.pass(2_000);
    await finishSource();
    expect(button()).toEqual({ state: 'no_link' });
    expect(row()).toBeUndefined();
    talk.release();
    way = 'open';
    talk.moved();
    expect(wire).toEqual([]);
    talk.press();
    source.speak(1);
    expect(types()).toEqual(['burst.start', 'voice 2.0']);
  });

  test('a press while an earlier one waits is heard after it', async () => {
    way = 'wait';
    talk.press();
    source.speak(1);
    talk.release();
    await clock.pass(150);
    await finishSource();
    expect(button()).toEqual({ state: 'waiting' });
    talk.press();
    way = 'open';
    talk.moved();
    source.speak(1);
    expect(types()).toEqual([
      'burst.start',
      'voice 1.0',
      'voice 1.1',
      'burst.end',
      'burst.start',
      'voice 2.0',
    ]);
  });

  test('shows why a press must not go out, and sends nothing', () => {
    way = 'location_needed';
    talk.press();
    expect(button()).toMatchObject({ state: 'refused', refusal: { code: 'location_needed' } });
    expect(source.sink).toBeNull();
    expect(wire).toEqual([]);
  });

  test('ends the burst when the microphone goes away', async () => {
    talk.press();
    source.speak(1);
    talk.fault('missing');
    source.tail = 0;
    await finishSource();
    expect(types()).toEqual(['burst.start', 'voice 1.0', 'burst.end']);
    expect(button()).toEqual({ state: 'no_microphone', why: 'missing' });
  });

  test('a press pressed again while a refused burst is cleared away is heard', async () => {
    talk.press();
    talk.receipt({
      type: 'receipt',
      burst: 1,
      outcome: 'refused',
      refusal: { code: 'channel_busy', message: '', hint: '' },
    });
    talk.release();
    talk.press();
    await finishSource();
    expect(wire.at(-1)).toMatchObject({ type: 'burst.start', burst: 2 });
    expect(button().state).toBe('talking');
  });
});
