// @vitest-environment happy-dom

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BrowserMicrophone } from './microphone';
import type { Fault } from './source';
import { FakeContext, FakeNode, fakeAudio } from './testing/audio';
import { settle } from './testing/clock';

let faults: Fault[];
let microphone: BrowserMicrophone;
let asked: (() => Promise<unknown>) | null;
let track: EventTarget & { stop: () => void; stopped: boolean };

class FakeEncoder {
  static made: FakeEncoder[] = [];
  static fault: Error | null = null;
  static isConfigSupported = async () => ({ supported: true });
  state = 'unconfigured';
  constructor(readonly init: { error: () => void }) {
    FakeEncoder.made.push(this);
  }
  configure(): void {
    if (FakeEncoder.fault) throw FakeEncoder.fault;
    this.state = 'configured';
  }
  reset(): void {
    this.state = 'unconfigured';
  }
  encode(): void {
    throw new TypeError('closed codec');
  }
  flush(): Promise<void> {
    return new Promise(() => {});
  }
}

const sink = { pcm: () => {}, packet: () => {} };
const node = () => FakeNode.made.at(-1) as FakeNode;
const opened = () =>
  microphone.open().then(
    () => 'ready',
    (fault) => fault as string,
  );

beforeEach(() => {
  vi.useFakeTimers();
  fakeAudio();
  FakeEncoder.made = [];
  FakeEncoder.fault = null;
  faults = [];
  track = Object.assign(new EventTarget(), {
    stopped: false,
    stop() {
      track.stopped = true;
    },
  });
  const stream = { getTracks: () => [track], getAudioTracks: () => [track] };
  asked = async () => stream;
  vi.stubGlobal('AudioEncoder', FakeEncoder);
  vi.stubGlobal('AudioDecoder', { isConfigSupported: async () => ({ supported: true }) });
  vi.stubGlobal(
    'AudioData',
    class {
      close() {}
    },
  );
  vi.stubGlobal('navigator', { mediaDevices: { getUserMedia: () => asked?.() } });
  microphone = new BrowserMicrophone((why) => faults.push(why));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test.each([
  ['NotAllowedError', 'refused'],
  ['SecurityError', 'refused'],
  ['NotFoundError', 'missing'],
  ['OverconstrainedError', 'missing'],
  ['NotReadableError', 'interrupted'],
  ['AbortError', 'interrupted'],
  ['InvalidStateError', 'broken'],
])('a microphone that is not given with %s is %s', async (name, fault) => {
  asked = () => Promise.reject(new DOMException('', name));
  expect(await opened()).toBe(fault);
});

test('a worklet that does not load is told, and the microphone let go', async () => {
  FakeContext.module = new DOMException('', 'AbortError');
  expect(await opened()).toBe('broken');
  expect(track.stopped).toBe(true);
  expect(FakeContext.made[0]?.state).toBe('closed');
});

describe('after a call', () => {
  beforeEach(async () => {
    expect(await opened()).toBe('ready');
    FakeContext.made.at(-1)?.become('interrupted');
    expect(microphone.ready).toBe(false);
  });

  test.each(['throws', 'hangs'] as const)(
    'a context that %s is told of, and the next is new',
    async (how) => {
      FakeContext.resuming = how;
      const press = opened();
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await press).toBe('interrupted');
      expect(track.stopped).toBe(true);
      // The call goes on: the fresh one is no better, and is told of too.
      const again = opened();
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await again).toBe('interrupted');
      FakeContext.resuming = 'answers';
      expect(await opened()).toBe('ready');
      expect(microphone.ready).toBe(true);
    },
  );

  test('a context that was closed under it is let go without a word', async () => {
    FakeContext.made.at(-1)?.become('closed');
    microphone.close();
    await settle();
    expect(await opened()).toBe('ready');
  });
});

describe('while it is heard', () => {
  beforeEach(async () => {
    await opened();
    microphone.begin(20, sink);
  });

  test.each<[string, Fault, () => void]>([
    ['the encoder fails', 'broken', () => FakeEncoder.made[0]?.init.error()],
    [
      'the encoder throws at a frame',
      'broken',
      () => node().tell({ pcm: new Float32Array(9), at: 0, last: false }),
    ],
    ['the worklet throws', 'broken', () => node().onprocessorerror?.()],
    ['a frame cannot be read', 'broken', () => node().port.onmessageerror?.()],
    ['it is unplugged', 'missing', () => track.dispatchEvent(new Event('ended'))],
  ])('%s: told once, and the next press begins afresh', async (_, why, fail) => {
    fail();
    fail();
    expect(faults).toEqual([why]);
    expect(microphone.ready).toBe(false);
    expect(track.stopped).toBe(true);
    expect(await opened()).toBe('ready');
    expect(microphone.ready).toBe(true);
  });

  test('an encoder that hangs does not keep the button', async () => {
    const end = microphone.finish();
    await vi.advanceTimersByTimeAsync(800);
    await end;
  });
});
