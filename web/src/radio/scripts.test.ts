import { expect, test } from 'vitest';
import { own } from './scripts';

test('the page starts scripts of its own server only', () => {
  for (const good of [
    '/assets/decode.worker-BLzBmF2o.js',
    '/src/radio/decode.worker.ts?worker_file&type=module',
  ]) {
    expect(own(good)).toBe(good);
  }
  for (const bad of [
    '//elsewhere.example/assets/a.js',
    'https://elsewhere.example/assets/a.js',
    'data:text/javascript,1',
    'blob:https://here.example/1',
    '/assets/a.js#//b',
    '/api/v1/me',
    '/assets/a.js\n',
    '',
  ]) {
    expect(() => own(bad), bad).toThrow(TypeError);
  }
});

test('nothing in the page makes markup or code of text', () => {
  const sources = import.meta.glob<string>(['../**/*.ts', '../**/*.svelte', '!../**/*.test.ts'], {
    query: '?raw',
    import: 'default',
    eager: true,
  });
  expect(Object.keys(sources).length).toBeGreaterThan(100);
  // Svelte's own policy lets through what it is given: it is given templates only.
  const ways = /\{@html|(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function/;
  const found = Object.entries(sources).filter(([, source]) => ways.test(source));
  expect(found.map(([path]) => path)).toEqual([]);
});
