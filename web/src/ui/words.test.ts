import { expect, test } from 'vitest';
import type { SignalGrade } from '../gen/SignalGrade';
import { parseChannel } from '../radio/address';
import { text } from '../text';
import { step } from './address';
import { burstSentence, burstTrouble, partWords } from './burst';
import { withTuned } from './channelList';
import { graphemes } from './graphemes';
import { barPath, bars } from './levels';
import { defaults, parse } from './preferences.svelte';
import { burst, heron, me, tunedTo } from './testing/scriptedRadio';
import { clock, lengthInSeconds, secondsUntil } from './time';

test('a typed channel is read as people write it', () => {
  expect(parseChannel(' 09 ')).toBe('9');
  expect(parseChannel('Road 66')).toBe('road-66');
  for (const bad of ['', '0', '41', '6road', 'café', 'a'.repeat(33)])
    expect(parseChannel(bad)).toBeNull();
});

test('the channels go round, and a name leads back to the numbers', () => {
  expect(step('40', 1)).toBe('1');
  expect(step('1', -1)).toBe('40');
  expect(step('19', 1)).toBe('20');
  expect(step('road-66', 1)).toBe('1');
  expect(step('road-66', -1)).toBe('40');
});

test('the channel list takes the count of a tuned channel, and a channel that is new', () => {
  const listed = [
    { channel: '9', label: 'Emergency', count: 3 },
    { channel: '19', label: 'Calling', count: 1 },
  ];
  const tuned = [tunedTo('19', [me, heron]), tunedTo('road-66', [me])];
  expect(withTuned(listed, tuned)).toEqual([
    { channel: '9', label: 'Emergency', count: 3 },
    { channel: '19', label: 'Calling', count: 2 },
    { channel: 'road-66', count: 1 },
  ]);
});

test('times round so that they never promise too much', () => {
  expect(clock(61_900)).toBe('1:01');
  expect(secondsUntil(5001, 0)).toBe(6);
  expect(secondsUntil(0, 10)).toBe(0);
  expect(lengthInSeconds(4230)).toBe('4.2');
  expect(lengthInSeconds(59_600)).toBe('60');
});

test('letters are counted as people count them', () => {
  expect(graphemes('Zoë')).toBe(3);
  expect(graphemes('👩‍🚒🇸🇮')).toBe(2);
});

test('a long curve keeps its loudest moments, and bad values do no harm', () => {
  const levels = Array.from({ length: 100 }, (_, i) => (i === 50 ? 1 : 0.1));
  expect(bars(levels, 48)).toHaveLength(48);
  expect(Math.max(...bars(levels, 48))).toBe(1);
  expect(bars([Number.NaN, -1, 7])).toEqual([0, 0, 1]);
  expect(barPath([0, 1], 24)).toMatch(/^M0\.5 .*M1\.5 1\.0V23\.0$/);
});

test('a burst is one sentence for a screen reader', () => {
  expect(burstSentence(burst(heron, 4), '19', false, text)).toBe(
    'Blue Heron 2mqd, Croatia, 4 seconds, say again',
  );
  expect(
    burstSentence(burst(heron, 1, { state: 'playing', replayable: false }), '9', false, text),
  ).toBe('Blue Heron 2mqd, Croatia, channel 19, on the air');
  expect(
    burstSentence(
      burst(me, 2, { own: true, state: 'refused', replayable: false }),
      '19',
      false,
      text,
    ),
  ).toBe('You, refused');
});

test('only what is said now is on the air', () => {
  const late = (ms: number) =>
    burstSentence(
      burst(heron, 4, { state: 'playing', late: ms, replayable: false }),
      '19',
      false,
      text,
    );
  expect(late(7_600)).toBe('Blue Heron 2mqd, Croatia, 8 s ago');
  expect(late(130_000)).toBe('Blue Heron 2mqd, Croatia, 2 min ago');
  const missed = burst(heron, 4, { state: 'missed' });
  expect(burstSentence({ ...missed, ended: 'released' }, '19', false, text)).toBe(
    'Blue Heron 2mqd, Croatia, missed, say again',
  );
  const { ended: _, ...comingIn } = missed;
  expect(burstSentence(comingIn, '19', false, text)).toBe('Blue Heron 2mqd, Croatia, missed');
});

test('that a handle was heard with another tag is part of the sentence', () => {
  const sentence = burstSentence(burst(heron, 4, { another: '9xyz' }), '19', false, text);
  expect(sentence.replaceAll(/[\u2068\u2069]/g, '')).toBe(
    'Blue Heron 2mqd, Croatia, 4 seconds, another Blue Heron: the one you heard before had the tag 9xyz, say again',
  );
});

test('a signal is part of the sentence, and its lack only for who shares a location', () => {
  const say = (located: boolean, grade?: SignalGrade) =>
    burstSentence(burst(heron, 4, grade === undefined ? {} : { grade }), '19', located, text);
  expect(say(false, 4)).toBe('Blue Heron 2mqd, Croatia, S4, within 25 km, 4 seconds, say again');
  expect(say(true)).toContain('distance unknown');
  expect(say(false)).not.toContain('distance');
});

test('what went wrong with a burst is told, the cut before the gaps', () => {
  expect(burstTrouble(burst(heron, 1), text)).toBe('');
  expect(burstTrouble(burst(heron, 1, { gaps: 3 }), text)).toBe('broken up');
  expect(burstTrouble(burst(heron, 1, { gaps: 3, ended: 'talker_lost' }), text)).toBe('link lost');
});

test('stored preferences that do not fit are replaced by their defaults', () => {
  expect(parse(null)).toEqual(defaults());
  expect(parse('no json')).toEqual(defaults());
  expect(parse('null')).toEqual(defaults());
  expect(parse('{"latch":"yes","talkKey":"KeyT","cues":{"roger":false,"deny":1}}')).toEqual({
    ...defaults(),
    talkKey: 'KeyT',
    cues: { ...defaults().cues, roger: false },
  });
  const ranges = { tx: '25km', rx: 'unlimited' } as const;
  expect(parse(JSON.stringify({ ranges, shareLocation: true }))).toEqual({
    ...defaults(),
    ranges,
    shareLocation: true,
  });
  for (const bad of ['{"tx":"30km","rx":"10km"}', '{"tx":"10km"}', '25', 'null']) {
    expect(parse(`{"shareLocation":1,"ranges":${bad}}`)).toEqual(defaults());
  }
});

test('a press that others could hear in part says how much, and never that nothing was lost', () => {
  expect(partWords({ heard: 8390, length: 8400, late: false }, text)).toBe(
    text.air.lostPart('0.1', '8.4'),
  );
  expect(partWords({ heard: 3200, length: 8400, late: true }, text)).toBe(
    text.air.heardPart('3.2', '8.4'),
  );
  expect(partWords({ heard: 0, length: 8400, late: true }, text)).toBe(text.air.unheard);
  const part = { heard: 3200, length: 8400, late: true };
  const row = burst(me, 8.4, { own: true, state: 'sent', part, dropped: 'too_much_voice' });
  expect(burstTrouble(row, text)).toBe(text.reasons.too_much_voice);
  expect(burstSentence(row, '19', false, text)).toContain(partWords(part, text));
});
