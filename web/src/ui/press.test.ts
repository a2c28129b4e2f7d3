import { expect, test } from 'vitest';
import { PressControl } from './press';

function setUp(latch = false) {
  const done: string[] = [];
  const control = new PressControl(
    { press: () => done.push('press'), release: () => done.push('release') },
    () => latch,
  );
  return { control, done };
}

test('a hold begins with its pointer and ends with it', () => {
  const { control, done } = setUp();
  control.down('pointer 1');
  expect(control.held).toBe(true);
  control.up('pointer 1');
  expect(done).toEqual(['press', 'release']);
});

test('a second finger neither begins again nor ends the hold', () => {
  const { control, done } = setUp();
  control.down('pointer 1');
  control.down('pointer 2');
  control.up('pointer 2');
  expect(done).toEqual(['press']);
  control.up('pointer 1');
  expect(done).toEqual(['press', 'release']);
});

test('a key that was not the one that pressed does not release', () => {
  const { control, done } = setUp();
  control.down('key Space');
  control.up('key Enter');
  expect(done).toEqual(['press']);
});

test('leaving the page releases, once', () => {
  const { control, done } = setUp();
  control.down('key Space');
  control.leave();
  control.leave();
  control.up('key Space');
  expect(done).toEqual(['press', 'release']);
});

test('with the latch one tap begins and the next ends', () => {
  const { control, done } = setUp(true);
  control.down('pointer 1');
  control.up('pointer 1');
  expect(done).toEqual(['press']);
  control.down('pointer 2');
  control.up('pointer 2');
  expect(done).toEqual(['press', 'release']);
});

test('leaving the page opens the latch', () => {
  const { control, done } = setUp(true);
  control.down('pointer 1');
  control.up('pointer 1');
  control.leave();
  expect(done).toEqual(['press', 'release']);
});

test('a burst that ended by itself opens the latch, so that the next tap begins again', () => {
  const { control, done } = setUp(true);
  control.down('pointer 1');
  control.up('pointer 1');
  control.ended();
  control.down('pointer 2');
  expect(done).toEqual(['press', 'release', 'press']);
});

test('a burst that ended by itself leaves a held button held until it is let go', () => {
  const { control, done } = setUp();
  control.down('pointer 1');
  control.ended();
  expect(control.held).toBe(true);
  control.up('pointer 1');
  expect(done).toEqual(['press', 'release']);
});

test('the click of a screen reader begins, the next one ends', () => {
  const { control, done } = setUp();
  control.click();
  expect(done).toEqual(['press']);
  control.click();
  expect(done).toEqual(['press', 'release']);
});
