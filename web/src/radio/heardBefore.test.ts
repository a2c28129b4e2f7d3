import { expect, test } from 'vitest';
import { another, type Known, look, withHeard } from './heardBefore';

const heard = (...people: [handle: string, tag: string][]): Known =>
  people.reduce<Known>((known, [handle, tag]) => withHeard(known, { handle, tag }), new Map());

test.each([
  ['the very same', 'Roadrunner', 'Roadrunner'],
  ['capitals', 'Roadrunner', 'ROADRUNNER'],
  ['spaces', 'Papa Tango', 'PapaTango'],
  ['wide letters', 'Roadrunner', 'Ｒｏａｄｒｕｎｎｅｒ'],
  ['a letter and its mark apart', 'Zoë', 'Zoe\u0308'],
  ['Cyrillic letters', 'Roadrunner', 'Rоаdrunnеr'],
  ['Cyrillic capitals', 'BOB', 'ВОВ'],
  ['Greek capitals', 'KATE', 'ΚΑΤΕ'],
  ['numerals', 'Oil', '0i1'],
  ['a small l and a capital i', 'Bill', 'BiIl'],
])('look alike: %s', (_, one, other) => {
  expect(look(one)).toBe(look(other));
});

test.each([
  ['Roadrunner', 'Roadrunners'],
  ['Zoë', 'Zoe'],
  ['山田', '山本'],
])('%s and %s do not look alike', (one, other) => {
  expect(look(one)).not.toBe(look(other));
});

test('another one is who has the look and not the tag, and the first heard stays the first', () => {
  const known = heard(['Roadrunner', 'k7f2'], ['R0ADRUNNER', '9xyz'], ['Oak', 'x9rt']);
  expect(another(known, { handle: 'Roadrunner', tag: 'k7f2' })).toBeUndefined();
  expect(another(known, { handle: 'Roadrunner', tag: '9xyz' })).toBe('k7f2');
  expect(another(known, { handle: 'roadrunner', tag: 'aaaa' })).toBe('k7f2');
  expect(another(known, { handle: 'Fox', tag: 'k7f2' })).toBeUndefined();
});

test('no handle is special', () => {
  for (const handle of ['__proto__', 'constructor', 'toString']) {
    expect(another(new Map(), { handle, tag: 'k7f2' })).toBeUndefined();
    expect(another(heard([handle, 'k7f2']), { handle, tag: '9xyz' })).toBe('k7f2');
  }
});

test('a thousand are remembered, then the oldest goes', () => {
  let known: Known = new Map();
  for (let n = 0; n <= 1000; n += 1) known = withHeard(known, { handle: `x${n}x`, tag: 'k7f2' });
  expect(known.size).toBe(1000);
  expect(another(known, { handle: 'x0x', tag: '9xyz' })).toBeUndefined();
  expect(another(known, { handle: 'x1000x', tag: '9xyz' })).toBe('k7f2');
});
