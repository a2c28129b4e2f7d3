import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Dial } from './dial';

let tuned: string[];
let shown: (string | null)[];
let dial: Dial;

beforeEach(() => {
  vi.useFakeTimers();
  tuned = [];
  shown = [];
  dial = new Dial(
    (channel) => tuned.push(channel),
    (pending) => shown.push(pending),
  );
});
afterEach(() => vi.useRealTimers());

test('a single step tunes at once', () => {
  dial.turn('20');
  expect(tuned).toEqual(['20']);
});

test('turning fast shows each channel and tunes to the last', () => {
  for (const channel of ['20', '21', '22', '23']) dial.turn(channel);
  expect(tuned).toEqual(['20']);
  expect(shown).toEqual(['21', '22', '23']);
  vi.runAllTimers();
  expect(tuned).toEqual(['20', '23']);
  expect(shown.at(-1)).toBeNull();
});

test('a choice from the list makes the dial forget where it was going', () => {
  dial.turn('20');
  dial.turn('21');
  dial.stop();
  vi.runAllTimers();
  expect(tuned).toEqual(['20']);
});
