import { flushSync } from 'svelte';
import { beforeEach, describe, expect, test } from 'vitest';
import { text } from '../text';
import TalkButton from './TalkButton.svelte';
import { draw, find } from './testing/draw';
import { idle } from './testing/scriptedRadio';

let done: string[];
let button: HTMLButtonElement;

function setUp(change: { latch?: boolean; talkKey?: string } = {}) {
  done = [];
  const target = draw(TalkButton, {
    state: idle(),
    latch: false,
    talkKey: 'Space',
    keyboard: true,
    onpress: () => done.push('press'),
    onrelease: () => done.push('release'),
    ...change,
  });
  button = find<HTMLButtonElement>(target, 'button.talk');
}

function pointer(type: string, init: PointerEventInit = {}, on: EventTarget = button) {
  on.dispatchEvent(
    new PointerEvent(type, { bubbles: true, cancelable: true, pointerId: 1, button: 0, ...init }),
  );
  flushSync();
}

function key(
  type: 'keydown' | 'keyup',
  code: string,
  init: KeyboardEventInit = {},
  on: EventTarget = document.body,
) {
  const event = new KeyboardEvent(type, { bubbles: true, cancelable: true, code, ...init });
  on.dispatchEvent(event);
  flushSync();
  return event;
}

describe('by pointer', () => {
  beforeEach(() => setUp());

  test('press and release', () => {
    pointer('pointerdown');
    expect(done).toEqual(['press']);
    pointer('pointerup');
    expect(done).toEqual(['press', 'release']);
  });

  test.each(['pointercancel', 'lostpointercapture'])('%s releases', (type) => {
    pointer('pointerdown');
    pointer(type);
    expect(done).toEqual(['press', 'release']);
  });

  test('the pointer is captured, so that a release anywhere comes here', () => {
    const captured: number[] = [];
    button.setPointerCapture = (id) => captured.push(id);
    pointer('pointerdown', { pointerId: 7 });
    expect(captured).toEqual([7]);
  });

  test('other mouse buttons do nothing', () => {
    pointer('pointerdown', { button: 2 });
    expect(done).toEqual([]);
  });

  test('a long touch opens no menu and is not taken for a scroll', () => {
    for (const type of ['contextmenu', 'dragstart', 'touchstart']) {
      const event = new Event(type, { bubbles: true, cancelable: true });
      button.dispatchEvent(event);
      expect(event.defaultPrevented, type).toBe(true);
    }
  });

  test('the click that follows a touch does not press again', () => {
    pointer('pointerdown');
    pointer('pointerup');
    button.dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 1 }));
    expect(done).toEqual(['press', 'release']);
  });

  test('the click of a screen reader latches', () => {
    button.dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 0 }));
    expect(done).toEqual(['press']);
    button.dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 0 }));
    expect(done).toEqual(['press', 'release']);
  });
});

describe('leaving', () => {
  beforeEach(() => {
    setUp();
    pointer('pointerdown');
  });

  test.each(['blur', 'pagehide'])('%s releases', (type) => {
    window.dispatchEvent(new Event(type));
    expect(done).toEqual(['press', 'release']);
  });

  test('a hidden page releases, one that comes into view does not', () => {
    document.dispatchEvent(new Event('visibilitychange'));
    expect(done).toEqual(['press']);
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
    Reflect.deleteProperty(document, 'visibilityState');
    expect(done).toEqual(['press', 'release']);
  });
});

describe('by key', () => {
  test('the space bar talks wherever the focus is, and does not scroll', () => {
    setUp();
    expect(key('keydown', 'Space').defaultPrevented).toBe(true);
    key('keyup', 'Space');
    expect(done).toEqual(['press', 'release']);
  });

  test('the repeat of a held key is no second press', () => {
    setUp();
    key('keydown', 'Space');
    expect(key('keydown', 'Space', { repeat: true }).defaultPrevented).toBe(true);
    expect(done).toEqual(['press']);
  });

  test.each(['input', 'textarea', 'select'])('while typing in a %s it types', (tag) => {
    setUp();
    const field = document.createElement(tag);
    document.body.append(field);
    expect(key('keydown', 'Space', {}, field).defaultPrevented).toBe(false);
    field.remove();
    expect(done).toEqual([]);
  });

  test.each([
    ['Space', 'button'],
    ['Enter', 'button'],
    ['Enter', 'a'],
  ])('%s on a %s that has the focus works it', (code, tag) => {
    setUp({ talkKey: code });
    const other = document.createElement(tag);
    other.setAttribute('href', '#');
    document.body.append(other);
    other.focus();
    expect(key('keydown', code, {}, other).defaultPrevented).toBe(false);
    expect(key('keyup', code, {}, other).defaultPrevented).toBe(false);
    expect(done).toEqual([]);
    // What was clicked on has the focus, too, but who holds the space bar then wants to talk.
    pointer('pointerdown', {}, other);
    key('keydown', code, {}, other);
    expect(key('keyup', code, {}, other).defaultPrevented).toBe(true);
    other.remove();
    expect(done).toEqual(['press', 'release']);
  });

  test('in an open dialog it belongs to the dialog', () => {
    setUp();
    const dialog = document.createElement('dialog');
    dialog.setAttribute('open', '');
    document.body.append(dialog);
    key('keydown', 'Space');
    dialog.remove();
    expect(done).toEqual([]);
  });

  test('with Ctrl it belongs to the browser', () => {
    setUp();
    key('keydown', 'Space', { ctrlKey: true });
    expect(done).toEqual([]);
  });

  test('a release after the focus went into a field still releases', () => {
    setUp();
    key('keydown', 'Space');
    const field = document.createElement('input');
    document.body.append(field);
    key('keyup', 'Space', {}, field);
    field.remove();
    expect(done).toEqual(['press', 'release']);
  });

  test('another key can be chosen; on the button itself space and enter work all the same', () => {
    setUp({ talkKey: 'KeyT' });
    key('keydown', 'Space');
    expect(done).toEqual([]);
    key('keydown', 'KeyT');
    key('keyup', 'KeyT');
    key('keydown', 'Enter', {}, button);
    key('keyup', 'Enter', {}, button);
    expect(done).toEqual(['press', 'release', 'press', 'release']);
  });
});

test('with the latch a tap begins, the next one ends, and the word says so', () => {
  setUp({ latch: true });
  expect(button.textContent).toContain(text.talk.tap);
  pointer('pointerdown');
  pointer('pointerup');
  expect(done).toEqual(['press']);
  pointer('pointerdown');
  pointer('pointerup');
  expect(done).toEqual(['press', 'release']);
});
