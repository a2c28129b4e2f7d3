import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Refusal } from '../radio/refusal';
import { text } from '../text';
import { faults } from '../text/en.refusals';
import { loadRefusals } from '../text/refusals.svelte';
import { signals } from './signals';
import { burst, heron, idle, ScriptedRadio } from './testing/scriptedRadio';

beforeAll(loadRefusals);

const busy: Refusal = { code: 'channel_busy' };

let radio: ScriptedRadio;
let told: unknown[];

beforeEach(() => {
  radio = new ScriptedRadio();
  told = [];
  signals(
    radio,
    {
      cues: { play: (cue, voiceHeard) => told.push([cue, voiceHeard]) },
      vibrate: (touch) => told.push(touch),
      say: (sentence) => told.push(sentence),
    },
    text,
  );
});

test('a grant is heard, felt and said', () => {
  radio.emit({ type: 'permit' });
  expect(told).toEqual([['permit', false], 'permit', 'you are on the air']);
});

test('a refusal is heard, felt and said', () => {
  radio.emit({ type: 'deny', refusal: busy });
  expect(told).toEqual([['deny', false], 'deny', 'refused: channel busy']);
});

test('cues know that a voice is heard, and give way to it', () => {
  radio.set({ air: [burst(heron, 2, { state: 'playing' })] });
  radio.emit({ type: 'roger', talker: heron, channel: '19' });
  expect(told).toEqual([['roger', true]]);
});

test('a burst that ended well is felt, one that was cut is felt as a refusal', () => {
  radio.emit({ type: 'sent', ended: 'released' });
  expect(told).toEqual(['end', 'sent']);
  radio.emit({ type: 'sent', ended: 'silent' });
  expect(told.slice(2)).toEqual(['deny', 'your burst was ended: fell silent']);
});

test('a missing microphone is told at each press, not at each change of something else', () => {
  radio.set({ microphone: 'asking' });
  expect(told).toEqual([text.talk.askingCaption]);
  const missing = ['deny', `${faults.missing} ${text.talk.listening}`];
  radio.set({ button: { state: 'no_microphone', why: 'missing' } });
  radio.set({ soundBlocked: true });
  expect(told.slice(1)).toEqual([['deny', false], ...missing]);
  radio.set({ button: { state: 'no_microphone', why: 'missing' } });
  expect(told.slice(4)).toEqual([['deny', false], ...missing]);
});

test('nothing is told after the end', () => {
  const silent = new ScriptedRadio(idle());
  const stop = signals(
    silent,
    { cues: { play: () => told.push('cue') }, vibrate: () => {}, say: (words) => told.push(words) },
    text,
  );
  stop();
  silent.emit({ type: 'permit' });
  silent.set({ microphone: 'asking' });
  expect(told).toEqual([]);
});
