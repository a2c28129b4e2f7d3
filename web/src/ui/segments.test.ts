import { expect, test } from 'vitest';
import SevenSegment from './SevenSegment.svelte';
import { litSegments, numerals, OUTLINES } from './segments';
import { draw } from './testing/draw';

test('each digit lights its own set of segments', () => {
  const forms = [...'0123456789'].map((digit) => [...(litSegments(digit) ?? [])].sort().join(''));
  expect(new Set(forms).size).toBe(10);
  expect(forms[8]).toBe(Object.keys(OUTLINES).join(''));
  expect(forms[1]).toBe('bc');
  expect(litSegments('x')).toBeNull();
});

test('a channel below ten leaves the first place dark; a name has no numerals', () => {
  expect(numerals('9')).toEqual([' ', '9']);
  expect(numerals('19')).toEqual(['1', '9']);
  expect(numerals('road-66')).toBeNull();
});

test('all segments are drawn, the lit ones over their ghosts', () => {
  const target = draw(SevenSegment, { digits: ['1', '9'] });
  expect(target.querySelectorAll('polygon')).toHaveLength(14);
  expect(target.querySelectorAll('polygon.lit')).toHaveLength(8);
});
