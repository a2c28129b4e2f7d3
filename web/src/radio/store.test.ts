import { expect, test, vi } from 'vitest';
import { Store } from './store';

/** What was thrown outside of all calls: a browser hands it to the page's `error` event. */
async function uncaught(act: () => void): Promise<string[]> {
  const thrown: string[] = [];
  const later: (() => void)[] = [];
  vi.stubGlobal('queueMicrotask', (run: () => void) => later.push(run));
  act();
  vi.unstubAllGlobals();
  for (const run of later) {
    try {
      run();
    } catch (error) {
      thrown.push(String(error));
    }
  }
  return thrown;
}

test('one who throws keeps the news from nobody, nor the radio from its work, and is heard of', async () => {
  const store = new Store('Tenfour', '19');
  const told: string[] = [];
  let broken = false;
  store.subscribe(() => {
    if (broken) throw new TypeError('half a page');
  });
  store.subscribe(({ host }) => told.push(host));
  store.on(() => {
    throw new TypeError('no sense');
  });
  store.on(({ type }) => told.push(type));
  broken = true;
  const thrown = await uncaught(() => {
    store.set({ host: 'Other' });
    store.emit({ type: 'permit' });
  });
  expect(told).toEqual(['Tenfour', 'Other', 'permit']);
  expect(thrown).toEqual(['TypeError: half a page', 'TypeError: no sense']);
});
