import { beforeEach, describe, expect, test } from 'vitest';
import { Hear } from './hear';
import { Memory } from './memory';
import { Store } from './store';
import { VirtualClock } from './testing/clock';

let said: string[];
let store: Store;
let hear: Hear;
let events: string[];
let wished: number;
let clock: VirtualClock;

const talker = { id: 5, handle: 'Roadrunner', tag: 'k7f2' };
const start = (burst: number, channel = '19', who = talker) =>
  hear.started({ type: 'burst.started', burst, channel, talker: who, codec: 'opus', frame_ms: 20 });
const finish = (play: number) => hear.finished(play);
const frame = (burst: number, seq: number) =>
  hear.frame({ burst, seq, mediaTime: seq * 960, last: false, payload: Uint8Array.of(8) });
const end = (burst: number, frames: number) =>
  hear.ended({ type: 'burst.ended', burst, frames, reason: 'released' });
const rows = () => store.state.air.map(({ state }) => state);

beforeEach(() => {
  [said, events, wished, clock] = [[], [], 1, new VirtualClock()];
  store = new Store('Tenfour', '19');
  store.on(({ type }) => events.push(type));
  const memory = new Memory(clock, (key) => store.setBurst(key, { replayable: false }));
  hear = new Hear(
    store,
    memory,
    {
      begin: (play, samples, bundle, live) =>
        said.push(`begin ${play} ${samples * bundle}${live ? '' : ' whole'}`),
      packet: (play, { time, lost }) => said.push(`${play}:${time / 960}${lost ? ' lost' : ''}`),
      end: (play) => said.push(`end ${play}`),
      stop: (play) => said.push(`stop ${play}`),
    },
    clock,
    () => wished,
  );
  hear.welcomed(60_000, 10_000);
});

describe('what is heard', () => {
  test('a burst is played as it comes', () => {
    start(1);
    frame(1, 0);
    frame(1, 1);
    end(1, 2);
    expect(said).toEqual(['begin 1 960', '1:0', '1:1', 'end 1']);
    hear.finished(1);
    expect(store.state.air[0]).toMatchObject({
      state: 'played',
      length: 40,
      gaps: 0,
      ended: 'released',
    });
    expect(events).toEqual(['incoming', 'roger']);
  });

  test('a handle that was heard with another tag is marked, and said once', () => {
    const others: (string | undefined)[] = [];
    store.on((event) => event.type === 'incoming' && others.push(event.another));
    const hear = (burst: number, handle: string, tag: string) => {
      const who = { id: burst, handle, tag };
      start(burst, '19', who);
      frame(burst, 0);
      end(burst, 1);
      finish(burst);
    };
    hear(1, 'Roadrunner', 'k7f2');
    hear(2, 'ROADRUNNER', '9xyz');
    hear(3, 'ROADRUNNER', '9xyz');
    hear(4, 'Roadrunner', 'k7f2');
    hear(5, 'Oak', '9xyz');
    expect(store.state.air.map((row) => row.another)).toEqual([
      undefined,
      'k7f2',
      'k7f2',
      undefined,
      undefined,
    ]);
    expect(others).toEqual([undefined, 'k7f2', undefined, undefined, undefined]);
  });

  test('a burst that comes back into range goes on behind what was heard', () => {
    const outOfRange = () =>
      hear.ended({ type: 'burst.ended', burst: 1, frames: 0, reason: 'out_of_range' });
    start(1);
    frame(1, 0);
    frame(1, 1);
    outOfRange();
    start(1);
    // The link drops before its first frame: a resume asks for what follows.
    expect(hear.heard().have).toEqual([{ burst: 1, next: 2 }]);
    outOfRange();
    start(1);
    frame(1, 1);
    frame(1, 7);
    expect(hear.heard().have).toEqual([{ burst: 1, next: 8 }]);
    hear.finished(1);
    expect(said).toEqual(['begin 1 960', '1:0', '1:1', 'end 1', 'begin 2 960 whole', '2:0']);
  });

  test('frames that come together have to be waited for', () => {
    const told = { type: 'burst.started', channel: '19', talker, codec: 'opus' } as const;
    hear.started({ ...told, burst: 1, frame_ms: 20, bundle: 3 });
    frame(1, 0);
    end(1, 1);
    hear.finished(1);
    hear.sayAgain('heard-1');
    end(2, 1);
    hear.finished(2);
    wished = 3;
    hear.started({ ...told, burst: 3, frame_ms: 20, bundle: 2 });
    end(3, 0);
    hear.finished(3);
    hear.started({ ...told, burst: 4, frame_ms: 60 });
    expect(said.filter((line) => line.startsWith('begin'))).toEqual([
      'begin 1 2880',
      'begin 2 960 whole',
      'begin 3 2880',
      'begin 4 2880',
    ]);
  });

  test('a grade stays with its burst, and 0 is one', () => {
    const told = {
      type: 'burst.started',
      channel: '19',
      talker,
      codec: 'opus',
      frame_ms: 20,
    } as const;
    hear.started({ ...told, burst: 1, grade: 0 });
    hear.started({ ...told, burst: 2, grade: 5 });
    start(3);
    expect(store.state.air.map(({ grade }) => grade)).toEqual([0, 5, undefined]);
  });

  test('two talkers at once are heard one after the other, each whole', () => {
    start(1);
    start(2);
    for (let seq = 0; seq < 3; seq += 1) {
      frame(1, seq);
      frame(2, seq);
    }
    end(2, 3);
    end(1, 3);
    expect(said).toEqual(['begin 1 960', '1:0', '1:1', '1:2', 'end 1']);
    expect(rows()).toEqual(['playing', 'waiting']);
    hear.finished(1);
    expect(said.slice(5)).toEqual(['begin 2 960 whole', '2:0', '2:1', '2:2', 'end 2']);
    expect(rows()).toEqual(['played', 'playing']);
  });

  test('what plays later than it was said says how late, and what cannot in time is missed', async () => {
    const other = { id: 6, handle: 'Oak', tag: '9xyz' };
    start(1);
    frame(1, 0);
    await clock.pass(1_000);
    start(2, '19', other);
    frame(2, 0);
    end(2, 1);
    start(3, '19', other);
    await clock.pass(7_000);
    frame(3, 0);
    end(3, 1);
    finish(1);
    expect(store.state.air.map(({ state, late }) => [state, late])).toEqual([
      ['played', undefined],
      ['playing', 7_000],
      ['waiting', undefined],
    ]);
    await clock.pass(11_999);
    expect(rows()).toEqual(['played', 'playing', 'waiting']);
    await clock.pass(1);
    expect(rows()).toEqual(['played', 'playing', 'missed']);
    expect(events).toEqual(['incoming', 'roger', 'incoming', 'missed']);
    finish(2);
    hear.sayAgain('heard-3');
    expect(store.state.air[2]).toMatchObject({ state: 'playing', late: 12_000 });
    finish(3);
    expect(rows()).toEqual(['played', 'played', 'played']);
  });

  test('channels do not wait for each other', () => {
    start(1, '19');
    start(2, '9');
    expect(rows()).toEqual(['playing', 'playing']);
  });

  test('gaps are counted and marked, double frames are not played', () => {
    start(1);
    frame(1, 0);
    hear.gap({ type: 'burst.gap', burst: 1, from: 1, to: 4 });
    frame(1, 4);
    frame(1, 4);
    frame(1, 6);
    end(1, 9);
    expect(said).toEqual(['begin 1 960', '1:0', '1:4 lost', '1:6 lost', 'end 1']);
    expect(store.state.air[0]?.gaps).toBe(3 + 1 + 2);
  });

  test('a late entry begins in the middle without a gap, and its time with it', () => {
    start(1);
    frame(1, 100);
    frame(1, 101);
    end(1, 102);
    expect(said).toEqual(['begin 1 960', '1:0', '1:1', 'end 1']);
    expect(store.state.air[0]).toMatchObject({ gaps: 0, length: 40 });
  });

  test('a resume names what is unfinished, and goes on where it was', () => {
    expect(hear.heard()).toEqual({ have: [] });
    start(1);
    frame(1, 0);
    end(1, 1);
    start(2);
    frame(2, 0);
    start(3);
    expect(hear.heard()).toEqual({
      newest: 3,
      have: [
        { burst: 2, next: 1 },
        { burst: 3, next: 0 },
      ],
    });
    start(2);
    frame(2, 1);
    end(2, 2);
    expect(store.state.air).toHaveLength(3);
    hear.finished(1);
    expect(said.slice(-4)).toEqual(['begin 2 960 whole', '2:0', '2:1', 'end 2']);
  });

  test('a new session ends what was coming in and counts from its own numbers', () => {
    start(70);
    frame(70, 0);
    hear.restarted();
    expect(said.at(-1)).toBe('end 1');
    expect(store.state.air[0]?.ended).toBe('talker_lost');
    expect(hear.heard()).toEqual({ have: [] });
    start(1);
    expect(hear.heard()).toEqual({ newest: 1, have: [{ burst: 1, next: 0 }] });
  });

  test('says a burst again from memory, next in its channel', () => {
    start(1);
    frame(1, 0);
    end(1, 1);
    hear.finished(1);
    start(2);
    start(3);
    const [first] = store.state.air;
    hear.sayAgain(first?.key ?? '');
    hear.sayAgain(first?.key ?? '');
    expect(rows()).toEqual(['waiting', 'playing', 'waiting']);
    end(2, 0);
    hear.finished(2);
    expect(said.slice(-3)).toEqual(['begin 3 960 whole', '3:0', 'end 3']);
    hear.finished(3);
    expect(rows()).toEqual(['played', 'played', 'playing']);
    expect(events.filter((event) => event === 'roger')).toHaveLength(2);
  });

  test('forgets the oldest of more than twenty bursts', () => {
    for (let burst = 1; burst <= 22; burst += 1) {
      start(burst);
      frame(burst, 0);
      end(burst, 1);
      hear.finished(burst);
    }
    expect(store.state.air.filter(({ replayable }) => replayable)).toHaveLength(20);
    const before = said.length;
    hear.sayAgain(store.state.air[0]?.key ?? '');
    expect(said).toHaveLength(before);
  });

  test('leaving a channel stops its sound', () => {
    start(1);
    start(2);
    frame(1, 0);
    hear.left('19');
    expect(said.at(-1)).toBe('stop 1');
    expect(rows()).toEqual(['played', 'played']);
    frame(1, 1);
    expect(said.at(-1)).toBe('stop 1');
  });

  test('a burst without a frame does not keep the next one waiting', () => {
    start(1);
    start(2);
    start(3);
    end(2, 0);
    frame(3, 0);
    end(1, 0);
    hear.finished(1);
    expect(rows()).toEqual(['played', 'played', 'playing']);
  });

  test('a burst whose end never comes lets the next one play, and a frame keeps it', async () => {
    start(1);
    frame(1, 0);
    await clock.pass(14_000);
    frame(1, 1);
    await clock.pass(4_000);
    start(2);
    frame(2, 0);
    end(2, 1);
    await clock.pass(10_999);
    expect(rows()).toEqual(['playing', 'waiting']);
    await clock.pass(1);
    expect(store.state.air[0]?.ended).toBe('talker_lost');
    expect(said.at(-1)).toBe('end 1');
    finish(1);
    expect(rows()).toEqual(['played', 'playing']);
    frame(1, 2);
    expect(hear.heard()).toEqual({ newest: 2, have: [] });
  });

  test('a server that names a hold of years is not waited for', async () => {
    hear.welcomed(60_000, 2 ** 40);
    start(1);
    await clock.pass(35_000);
    expect(store.state.air[0]?.ended).toBe('talker_lost');
  });
});
