// @vitest-environment happy-dom

import { expect, test } from 'vitest';
import { channelOf, firstChannel, namedIn, parseChannel } from './address';

test.each([
  ['/c/19', '19'],
  ['/c/19/', '19'],
  ['/c/07', '7'],
  ['/c/ABC', 'abc'],
  ['/c/Road-66', 'road-66'],
  ['/c/road%2066', 'road-66'],
  ['/c/%2007%20', '7'],
])('the address %s is channel %s, as if it were typed', (path, channel) => {
  expect(channelOf(path)).toBe(channel);
  expect(parseChannel(decodeURIComponent(path.split('/')[2] ?? ''))).toBe(channel);
});

test.each([
  ['/c/41', '41'],
  ['/c/0', '0'],
  ['/c/a', 'a'],
  ['/c/%C3%BCber', 'über'],
  ['/c/100%', '100%'],
  ['/c/19/20', '19/20'],
])('the address %s names no channel, and what it names can be told', (path, name) => {
  expect(channelOf(path)).toBeNull();
  expect(namedIn(path)).toBe(name);
});

test.each(['/', '/c/', '/c', '/privacy'])('%s names nothing', (path) => {
  expect(channelOf(path)).toBeNull();
  expect(namedIn(path)).toBeNull();
});

test('a link to no channel begins where one was last, or on the calling channel', () => {
  history.replaceState(null, '', '/c/41');
  expect(firstChannel([])).toBe('19');
  expect(firstChannel(['9'])).toBe('9');
  history.replaceState(null, '', '/c/07');
  expect(firstChannel(['9'])).toBe('7');
});
