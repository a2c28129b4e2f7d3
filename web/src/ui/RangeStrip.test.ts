import { flushSync } from 'svelte';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Ranges } from '../gen/Ranges';
import { UNLIMITED } from '../radio/range';
import RangeStrip from './RangeStrip.svelte';
import { stepAt, stepByKey } from './rangeScale';
import { draw, find } from './testing/draw';

const RANGES: Ranges = { tx: '25km', rx: 'unlimited' };
/** The rail of these tests is 700 wide and begins at 100: a step is 100. */
const RAIL = { left: 100, width: 700 };

let changes: Ranges[];

beforeEach(() => {
  changes = [];
});

function strip(fixed = false) {
  const drawn = draw(RangeStrip, {
    ranges: fixed ? UNLIMITED : RANGES,
    fixed,
    describedby: 'why',
    onchange: (ranges: Ranges) => changes.push(ranges),
  });
  for (const rail of drawn.querySelectorAll('.rail')) {
    rail.getBoundingClientRect = () => ({ ...RAIL }) as DOMRect;
  }
  const slider = (side: 'tx' | 'rx') => find(drawn, `.${side} [role=slider]`);
  const touch = (side: 'tx' | 'rx', type: string, clientX: number, pointerId = 1) => {
    const event = new PointerEvent(type, { clientX, pointerId, button: 0, bubbles: true });
    find(drawn, `.lane.${side}`).dispatchEvent(event);
    flushSync();
  };
  const key = (side: 'tx' | 'rx', name: string, more: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent('keydown', {
      key: name,
      bubbles: true,
      cancelable: true,
      ...more,
    });
    slider(side).dispatchEvent(event);
    return event;
  };
  return { drawn, slider, touch, key };
}

describe('the range strip', () => {
  test('says where its handles are, in words', () => {
    const { slider } = strip();
    expect(slider('tx').getAttribute('aria-label')).toBe('Transmit range');
    expect(slider('tx').getAttribute('aria-valuetext')).toBe('25 km, your town and around');
    expect(slider('rx').getAttribute('aria-valuetext')).toBe('everybody, no limit');
    expect(slider('rx').getAttribute('aria-valuenow')).toBe('7');
    expect(slider('rx').getAttribute('aria-describedby')).toBe('why');
  });

  test('arrow keys move one handle a step, and turn no channel', () => {
    const { key } = strip();
    let elsewhere = 0;
    const count = () => {
      elsewhere += 1;
    };
    window.addEventListener('keydown', count);
    expect(key('tx', 'ArrowRight').defaultPrevented).toBe(true);
    key('tx', 'ArrowLeft');
    key('rx', 'ArrowDown');
    key('rx', 'Home');
    window.removeEventListener('keydown', count);
    expect(changes).toEqual([
      { tx: '50km', rx: 'unlimited' },
      { tx: '10km', rx: 'unlimited' },
      { tx: '25km', rx: '1000km' },
      { tx: '25km', rx: '10km' },
    ]);
    expect(elsewhere).toBe(0);
  });

  test('other keys, and keys of the browser, stay what they are', () => {
    const { key } = strip();
    for (const name of [' ', 'Tab', 'a']) expect(key('tx', name).defaultPrevented).toBe(false);
    expect(key('tx', 'ArrowLeft', { altKey: true }).defaultPrevented).toBe(false);
    key('rx', 'End');
    expect(changes).toEqual([]);
  });

  test('a finger drags the handle of its lane, and is taken when it lets go', () => {
    const { touch, slider } = strip();
    touch('rx', 'pointerdown', 800);
    touch('rx', 'pointermove', 420);
    expect(slider('rx').getAttribute('aria-valuetext')).toContain('100 km');
    expect(slider('tx').getAttribute('aria-valuetext')).toContain('25 km');
    expect(changes).toEqual([]);
    touch('rx', 'pointermove', 290);
    touch('rx', 'pointerup', 290);
    expect(changes).toEqual([{ tx: '25km', rx: '50km' }]);
  });

  test('a tap anywhere in a lane brings its handle there', () => {
    const { touch } = strip();
    touch('tx', 'pointerdown', -50);
    touch('tx', 'pointerup', -50);
    expect(changes).toEqual([{ tx: '10km', rx: 'unlimited' }]);
  });

  test('a touch that the browser takes, or a second finger, changes nothing', () => {
    const { touch, slider } = strip();
    touch('tx', 'pointerdown', 700);
    touch('tx', 'pointerup', 100, 2);
    touch('tx', 'pointercancel', 700);
    touch('tx', 'pointerup', 700);
    expect(changes).toEqual([]);
    expect(slider('tx').getAttribute('aria-valuetext')).toContain('25 km');
  });

  test('that is fixed stays unlimited, and tells of each touch', () => {
    const { touch, key, slider } = strip(true);
    touch('tx', 'pointerdown', 100);
    touch('tx', 'pointermove', 200);
    expect(slider('tx').getAttribute('aria-valuetext')).toBe('everybody, no limit');
    touch('tx', 'pointerup', 200);
    expect(slider('tx').getAttribute('aria-disabled')).toBe('true');
    expect(changes).toEqual([{ tx: 'unlimited', rx: 'unlimited' }]);
    expect(key('rx', 'Tab').defaultPrevented).toBe(false);
  });
});

test('the scale ends at its ends', () => {
  expect([-3, 0, 0.5, 1, 9].map(stepAt)).toEqual([
    '10km',
    '10km',
    '250km',
    'unlimited',
    'unlimited',
  ]);
  expect(stepByKey('10km', 'ArrowLeft')).toBe('10km');
  expect(stepByKey('unlimited', 'PageDown')).toBe('250km');
  expect(stepByKey('50km', 'Enter')).toBeNull();
});
