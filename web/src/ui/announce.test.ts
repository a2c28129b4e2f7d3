import { expect, test } from 'vitest';
import type { Range } from '../gen/Range';
import type { Location } from '../radio/model';
import type { Refusal } from '../radio/refusal';
import { text } from '../text';
import { sentence } from './announce';
import { fox, roadrunner } from './testing/scriptedRadio';

const busy: Refusal = { code: 'talk_limit', retry_after_ms: 5000 };

test('who talks, and from where', () => {
  const channel = '19';
  expect(sentence({ type: 'incoming', talker: roadrunner, channel }, text)).toBe(
    'Roadrunner k7f2, Serbia, talking',
  );
  expect(sentence({ type: 'incoming', talker: fox, channel }, text)).toBe(
    'Silver Fox a81c, talking',
  );
  const another = '9xyz';
  expect(sentence({ type: 'incoming', talker: roadrunner, channel, another }, text)).toContain(
    'the one you heard before had the tag 9xyz',
  );
});

test('where one is', () => {
  expect(sentence({ type: 'tuned', channel: '19', count: 12 }, text)).toBe('channel 19, 12 people');
  expect(sentence({ type: 'tuned', channel: '9', count: 1 }, text)).toBe('channel 9, 1 person');
});

test('that one is on the air', () => {
  expect(sentence({ type: 'permit' }, text)).toBe('you are on the air');
});

test('why not, and when again', () => {
  expect(sentence({ type: 'deny', refusal: busy }, text)).toBe(
    'refused: talk limit, try in 5 seconds',
  );
  const { retry_after_ms: _, ...plain } = busy;
  expect(sentence({ type: 'deny', refusal: plain }, text)).toBe('refused: talk limit');
});

test('what became of the burst', () => {
  expect(sentence({ type: 'sent', ended: 'released' }, text)).toBe('sent');
  const part = { heard: 3200, length: 8400, late: false };
  expect(sentence({ type: 'sent', ended: 'released', part }, text)).toBe(
    'sent. 5.2 of 8.4 s could not be heard',
  );
  expect(sentence({ type: 'late', part: { ...part, late: true } }, text)).toBe(
    'your burst that the link cut: others could hear 3.2 of 8.4 s',
  );
  expect(sentence({ type: 'sent', ended: 'talk_limit' }, text)).toBe(
    'your burst was ended: talk limit',
  );
});

test('what was missed', () => {
  expect(sentence({ type: 'missed', count: 3 }, text)).toBe('3 missed');
});

test('the link, but not the end of what was heard', () => {
  const link = { state: 'coming_back', retryAt: 0, why: 'lost' } as const;
  expect(sentence({ type: 'link', link }, text)).toBe('link lost, coming back by itself');
  // A region that says nothing new goes on saying "connecting" to whoever reads it.
  expect(sentence({ type: 'link', link: { state: 'unregistered' } }, text)).toBe('choose a handle');
  expect(sentence({ type: 'roger', talker: fox, channel: '19' }, text)).toBe('');
});

test('where the server has the cell, what became of it, and the ranges', () => {
  const say = (location: Location, tx: Range = 'unlimited') =>
    sentence({ type: 'location', location, ranges: { tx, rx: 'unlimited' } }, text);
  expect(say({ state: 'shared', inForce: true })).toContain('about 36 km²');
  expect(say({ state: 'shared', inForce: false })).toBe(text.place.later);
  expect(say({ state: 'denied' })).toBe(text.place.denied);
  expect(say({ state: 'denied' }, '10km')).toBe(text.place.held.denied('10 km'));
  expect(say({ state: 'denied', lost: 'revoked' })).toContain('Your range stays.');
  expect(say({ state: 'shared', inForce: false, lost: 'too_many_moves' })).toContain('too often');
  expect(sentence({ type: 'ranged', ranges: { tx: '25km', rx: 'unlimited' } }, text)).toBe(
    'you reach 25 km, you hear everybody',
  );
});
