import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Loudspeaker } from './loudspeaker';
import { FakeContext, FakeNode, FakeWorker, fakeAudio } from './testing/audio';
import { settle } from './testing/clock';

let told: string[];
let speaker: Loudspeaker;

const worker = () => FakeWorker.made[0] as FakeWorker;
const node = () => FakeNode.made[0] as FakeNode;
const context = () => FakeContext.made[0] as FakeContext;

function make(): Loudspeaker {
  return new Loudspeaker({
    finished: (play) => told.push(`finished ${play}`),
    levels: () => {},
    blocked: (blocked) => told.push(blocked ? 'blocked' : 'free'),
    failed: () => told.push('failed'),
  });
}

beforeEach(async () => {
  vi.useFakeTimers();
  fakeAudio();
  told = [];
  speaker = make();
  await speaker.open();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const FAILURES: [string, () => void][] = [
  ['the worker throws, or does not load', () => worker().onerror?.()],
  ['the worker gets what it cannot read', () => worker().onmessageerror?.()],
  [
    'the worker says that it cannot decode',
    () => worker().onmessage?.({ data: { type: 'failed' } }),
  ],
  ['the worklet throws in a block', () => node().onprocessorerror?.()],
  ['the worklet throws at a message', () => node().tell({ type: 'failed' })],
  ['the page cannot read what the worklet says', () => node().port.onmessageerror?.()],
  ['the sound system is closed for good', () => context().become('closed')],
];

describe('is told once, and nobody waits for a sound that never comes', () => {
  test.each(FAILURES)('%s', async (_, fail) => {
    speaker.begin(1, 960, 1, true);
    speaker.end(1);
    speaker.begin(2, 960, 1, true);
    fail();
    fail();
    expect(told.filter((one) => one === 'failed')).toHaveLength(1);
    expect(told).toContain('finished 1');
    expect(told).not.toContain('finished 2');
    speaker.end(2);
    await settle();
    expect(told.at(-1)).toBe('finished 2');
    expect(worker().ended).toBe(true);
    // What it was told before it failed, or is asked later, changes nothing.
    speaker.unlock();
    speaker.stop(2);
    await speaker.open();
    expect(FakeContext.made).toHaveLength(1);
  });

  test('a worklet that does not load', async () => {
    FakeContext.module = new Error('404');
    const other = make();
    await other.open();
    expect(told.at(-1)).toBe('failed');
  });

  test('a worker that cannot be started', () => {
    vi.stubGlobal(
      'Worker',
      class {
        constructor() {
          throw new TypeError('policy');
        }
      },
    );
    make().begin(1, 960, 1, true);
    expect(told).toContain('failed');
  });
});

test('during a call sound is blocked, a touch throws nothing, and after it all goes on', async () => {
  FakeContext.resuming = 'throws';
  context().become('interrupted');
  expect(told.at(-1)).toBe('blocked');
  speaker.unlock();
  await settle();
  FakeContext.resuming = 'answers';
  speaker.unlock();
  expect(told.at(-1)).toBe('free');
  expect(told).not.toContain('failed');
});

test('a burst that has played is finished once', () => {
  speaker.begin(1, 960, 1, true);
  speaker.end(1);
  node().tell({ type: 'finished', play: 1 });
  worker().onerror?.();
  expect(told.filter((one) => one === 'finished 1')).toHaveLength(1);
});
