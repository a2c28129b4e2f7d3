import { expect, test } from 'vitest';
import { own } from './scripts';

test('the page starts scripts of its own server only', () => {
  for (const good of ['/assets/decode.worker-BLzBmF2o.js', '/src/radio/decode.worker.ts?worker_file&type=module']) {
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
