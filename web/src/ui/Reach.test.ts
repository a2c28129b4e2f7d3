import { flushSync, tick } from 'svelte';
import { beforeEach, describe, expect, test } from 'vitest';
import App from '../App.svelte';
import type { Location } from '../radio/model';
import { text } from '../text';
import { later } from '../text/later';
import { draw, find } from './testing/draw';
import { burst, heron, ScriptedRadio } from './testing/scriptedRadio';

const SHARED: Location = { state: 'shared', inForce: true, country: 'RS' };
const NEAR = { tx: '25km', rx: '50km' } as const;

beforeEach(() => {
  localStorage.clear();
});

function setUp(radio: ScriptedRadio) {
  const page = draw(App, { radio });
  const change = (state: Parameters<ScriptedRadio['set']>[0]) => {
    radio.set(state);
    flushSync();
  };
  const slider = (side: 'tx' | 'rx') => find(page, `.${side} [role=slider]`);
  const key = (side: 'tx' | 'rx', name: string) => {
    slider(side).dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
    flushSync();
  };
  const click = (name: string) => {
    const button = [...page.querySelectorAll('button')].find((one) =>
      [one.textContent?.trim(), one.getAttribute('aria-label')].includes(name),
    );
    if (!button) throw new Error(`no button ${name}`);
    button.click();
    flushSync();
  };
  const dialog = () => page.querySelector('dialog');
  /** What is loaded when it is opened. */
  const loaded = async () => {
    await import('./later');
    await tick();
    flushSync();
  };
  const words = () => find(page, '.range').textContent?.replace(/\s+/g, ' ') ?? '';
  return { page, change, slider, key, click, dialog, loaded, words };
}

const about = (radio: ScriptedRadio) =>
  radio.calls.filter(([name]) => /Location|Ranges/.test(String(name)));
const stored = () => JSON.parse(localStorage.getItem('tenfour.preferences') ?? '{}');

describe('before a location is shared', () => {
  test('everybody is reached and heard, and nothing is asked', () => {
    const radio = new ScriptedRadio();
    const { words, dialog } = setUp(radio);
    expect(words()).toContain('You reach everybody');
    expect(words()).toContain(text.place.not_shared);
    expect(dialog()).toBeNull();
    expect(about(radio)).toEqual([]);
  });

  test('the first touch explains, and only the yes asks the browser', async () => {
    const radio = new ScriptedRadio();
    const { key, click, dialog, loaded, words, change, slider } = setUp(radio);
    key('tx', 'PageDown');
    await loaded();
    expect(dialog()?.textContent).toContain('What others see');
    expect(about(radio)).toEqual([]);
    click(later.sheet.share);
    expect(about(radio)).toEqual([['shareLocation', { tx: '250km', rx: 'unlimited' }]]);
    expect(dialog()).toBeNull();
    const proposed = { tx: '250km', rx: 'unlimited' } as const;
    change({ location: { state: 'asking' }, ranges: proposed });
    expect(stored().ranges).toMatchObject({ tx: 'unlimited' });
    expect(words()).toContain(text.place.asking);
    expect(slider('tx').getAttribute('aria-valuetext')).toContain('250 km');
    change({ location: SHARED, ranges: { tx: '250km', rx: 'unlimited' } });
    expect(words()).toContain('You reach 250 km');
    expect(stored()).toMatchObject({ shareLocation: true, ranges: { tx: '250km' } });
  });

  test('a no leaves everything on unlimited and asks nobody', async () => {
    const radio = new ScriptedRadio();
    const { key, click, dialog, loaded, words } = setUp(radio);
    key('rx', 'Home');
    await loaded();
    click(later.sheet.not);
    expect(dialog()).toBeNull();
    expect(words()).toContain('You hear everybody');
    expect(about(radio)).toEqual([]);
    expect(stored().shareLocation ?? false).toBe(false);
  });

  test('a browser that denies is told with its reason, and no touch asks again', async () => {
    const radio = new ScriptedRadio({ location: { state: 'denied' } });
    const { key, click, dialog, loaded, words, slider } = setUp(radio);
    expect(words()).toContain(text.place.denied);
    expect(slider('tx').getAttribute('aria-disabled')).toBe('true');
    key('tx', 'Home');
    await loaded();
    expect(dialog()?.textContent).toContain(later.sheet.deniedHow);
    expect(dialog()?.textContent).not.toContain(later.sheet.share);
    click(later.sheet.close);
    expect(words()).toContain('You reach everybody');
    expect(about(radio)).toEqual([]);
  });
});

describe('with a location', () => {
  test('a handle is sent at once, and remembered', () => {
    const radio = new ScriptedRadio({ location: SHARED, ranges: NEAR });
    const { key, words } = setUp(radio);
    expect(words()).toContain(text.place.shared);
    expect(words()).toContain('Others see Serbia.');
    key('tx', 'ArrowLeft');
    key('rx', 'End');
    expect(about(radio)).toEqual([
      ['setRanges', { tx: '10km', rx: '50km' }],
      ['setRanges', { tx: '10km', rx: 'unlimited' }],
    ]);
    expect(stored().ranges).toEqual({ tx: '10km', rx: 'unlimited' });
  });

  test('one tap takes it back, and the next visit does not share it', () => {
    localStorage.setItem(
      'tenfour.preferences',
      JSON.stringify({ shareLocation: true, ranges: NEAR }),
    );
    const radio = new ScriptedRadio({ location: SHARED, ranges: NEAR });
    const { click } = setUp(radio);
    expect(about(radio)).toEqual([['setRanges', NEAR], ['restoreLocation']]);
    click(text.place.stopLabel);
    expect(about(radio).slice(2)).toEqual([['unshareLocation']]);
    expect(stored()).toMatchObject({ shareLocation: false, ranges: NEAR });
  });

  test('a cell that waits says until when', () => {
    const effectiveAt = performance.now() + 8.5 * 60_000;
    const radio = new ScriptedRadio({ location: { ...SHARED, effectiveAt } });
    const { words, change } = setUp(radio);
    expect(words()).toContain('A new cell takes effect in 9 min.');
    change({ location: { state: 'shared', inForce: false, effectiveAt } });
    expect(words()).toContain(text.place.laterIn('9 min'));
  });

  test.each<[Location, string]>([
    [{ state: 'not_shared' }, text.place.held.not_shared('25 km')],
    [{ state: 'denied', lost: 'revoked' }, text.place.held.denied('25 km')],
    [{ state: 'unsupported' }, text.place.held.unsupported('25 km')],
    [{ state: 'shared', inForce: false }, text.place.held.later('25 km')],
  ])(
    'a range that cannot be had is shown as it was chosen, with a way on: %o',
    (location, line) => {
      const radio = new ScriptedRadio({ location, ranges: NEAR });
      const { words, slider, click, change } = setUp(radio);
      expect(words()).toContain('You reach 25 km');
      expect(words()).toContain(line);
      expect(slider('tx').getAttribute('aria-disabled')).toBe('false');
      click(text.place.everybodyLabel);
      expect(about(radio).at(-1)).toEqual(['setRanges', { tx: 'unlimited', rx: 'unlimited' }]);
      change({});
      expect(words()).toContain('You reach everybody');
      expect(stored().ranges).toEqual({ tx: 'unlimited', rx: 'unlimited' });
    },
  );

  test('without a location a handle is moved to everybody without being asked anything', async () => {
    const radio = new ScriptedRadio({ ranges: NEAR });
    const { key, dialog, loaded } = setUp(radio);
    key('tx', 'End');
    expect(dialog()).toBeNull();
    expect(about(radio)).toEqual([['setRanges', { tx: 'unlimited', rx: '50km' }]]);
    key('rx', 'Home');
    await loaded();
    expect(dialog()?.textContent).toContain('What others see');
  });

  test('a permission taken back in mid-session is told loudly, once', () => {
    localStorage.setItem('tenfour.preferences', JSON.stringify({ shareLocation: true }));
    const radio = new ScriptedRadio({ location: SHARED, ranges: NEAR });
    const { page, change, click } = setUp(radio);
    const location: Location = { state: 'denied', lost: 'revoked' };
    change({ location });
    radio.emit({ type: 'location', location, ranges: NEAR });
    flushSync();
    expect(find(page, '.banner').textContent).toContain(text.place.lost.revoked.message);
    expect(find(page, '[role=status][aria-live]').textContent).toContain(
      text.place.lost.revoked.hint,
    );
    expect(stored().shareLocation).toBe(false);
    click(text.notices.dismiss);
    expect(page.querySelector('.banner')).toBeNull();
  });
});

test('the settings name whose borders and cells these are', async () => {
  const { page, click, loaded } = setUp(new ScriptedRadio());
  click(text.settings.open);
  await loaded();
  const credit = find(page, 'dialog').textContent?.replace(/\s+/g, ' ');
  expect(credit).toContain('Country borders © OpenStreetMap contributors (ODbL)');
  expect(credit).toContain('H3 © Uber Technologies');
});

test('each burst has its signal, and where there is none it is a dash only for who shares', () => {
  const radio = new ScriptedRadio({
    location: SHARED,
    air: [burst(heron, 1, { grade: 5 }), burst(heron, 1, { grade: 0 }), burst(heron, 1)],
  });
  const { page, change } = setUp(radio);
  const labels = () =>
    [...page.querySelectorAll('.meter')].map((meter) => meter.getAttribute('aria-label'));
  const lit = () =>
    [...page.querySelectorAll('.meter')].map((meter) => meter.querySelectorAll('.on').length);
  expect(labels()).toEqual(['S5, within 10 km', 'S0, beyond 250 km', 'distance unknown']);
  expect(lit()).toEqual([5, 0, 0]);
  expect(find(page, '.burst').getAttribute('aria-label')).toContain('S5, within 10 km');
  change({ location: { state: 'not_shared' } });
  expect(labels()).toEqual(['S5, within 10 km', 'S0, beyond 250 km']);
});
