import { flushSync, tick } from 'svelte';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import App from '../App.svelte';
import { KeyFault } from '../radio/keyFault';
import type { Burst } from '../radio/model';
import type { Refusal } from '../radio/refusal';
import { text } from '../text';
import { faults, refusals } from '../text/en.refusals';
import { later } from '../text/later';
import { loadRefusals } from '../text/refusals.svelte';
import { draw, find } from './testing/draw';
import { burst, heron, idle, me, ScriptedRadio, tunedTo } from './testing/scriptedRadio';

beforeAll(loadRefusals);

const refused: Refusal = { code: 'handle_refused' };

/** What is loaded when it is needed takes its time on a busy machine. */
const LOADED = { timeout: 10_000 };

beforeEach(() => {
  localStorage.clear();
  history.replaceState(null, '', '/');
});

function setUp(radio: ScriptedRadio) {
  const page = draw(App, { radio });
  const said = () => find(page, '[role=status][aria-live]').textContent?.trim();
  const change = (state: Parameters<ScriptedRadio['set']>[0]) => {
    radio.set(state);
    flushSync();
  };
  return { page, said, change };
}

function click(page: HTMLElement, name: string) {
  const all = [...page.querySelectorAll('button')];
  all.find((one) => one.textContent?.trim() === name)?.click();
  flushSync();
}

describe('the first visit', () => {
  const first = () => new ScriptedRadio({ me: null, link: { state: 'unregistered' }, tuned: {} });

  test('asks for a handle and says what is kept', () => {
    const { page } = setUp(first());
    expect(find(page, 'h1').textContent).toBe(text.welcome.title);
    expect(page.textContent).toContain(text.welcome.kept);
    expect(page.querySelector('button.talk')).toBeNull();
  });

  test('a browser that cannot do it says so before anybody registers', async () => {
    const radio = first();
    radio.set({ trouble: 'no_voice' });
    const { page } = setUp(radio);
    await vi.waitUntil(() => page.querySelector('.banner'), LOADED);
    expect(find(page, '.banner').textContent).toContain(later.trouble.no_voice.message);
  });

  test('a link to no channel is told, and the address is put right', () => {
    history.replaceState(null, '', '/c/41');
    const { page } = setUp(first());
    expect(find(page, '.banner').textContent).toContain('There is no channel \u206841\u2069.');
    expect(page.textContent).toContain(text.channels.bad);
    expect(location.pathname).toBe('/c/19');
  });

  test('a key file is the other way in, and a key that is new here gets a handle', async () => {
    const radio = first();
    radio.knowsKey = false;
    const { page } = setUp(radio);
    click(page, text.welcome.haveKey);
    await vi.waitUntil(() => page.querySelector('#key-file'), LOADED);
    const submit = async () => {
      find(page, 'form').dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
      for (let turn = 0; turn < 10; turn += 1) await tick();
    };
    await submit();
    expect(find(page, '#key-file-problem').textContent).toContain(later.key.faults.none.message);
    const files = new DataTransfer();
    files.items.add(new File(['{}'], 'tenfour-Oak.key.json'));
    const field = find<HTMLInputElement>(page, '#key-file');
    field.files = files.files;
    field.dispatchEvent(new Event('change', { bubbles: true }));
    radio.fault = new KeyFault('passphrase');
    await submit();
    await vi.waitUntil(() => page.querySelector('#import-passphrase-problem'), LOADED);
    expect(document.activeElement).toBe(find(page, '#import-passphrase'));
    radio.fault = null;
    await submit();
    await vi.waitUntil(() => page.querySelector('#handle'), LOADED);
    expect(page.textContent).toContain(text.welcome.keyIsNew);
    expect(radio.calls).toContainEqual(['importKey', '{}', '']);
  });

  test('while many come in from one network it says so, and for how long', async () => {
    const { page, change } = setUp(first());
    expect(page.querySelector('progress')).toBeNull();
    const since = performance.now();
    change({ queued: { what: 'turn', since, until: since + 40_000 } });
    await vi.waitUntil(() => page.querySelector('progress'), LOADED);
    expect(find(page, '[role=status]').textContent).toBe(later.queue.turn);
    expect(page.textContent).toMatch(/next try in \d+ s/);
    change({ queued: { what: 'work', share: 0.5 } });
    expect(find(page, '[role=status]').textContent).toBe(later.queue.work);
    expect(find<HTMLProgressElement>(page, 'progress').value).toBe(0.5);
    change({ queued: null });
    expect(page.querySelector('progress')).toBeNull();
  });

  test("registers, and shows the server's refusal at the field", async () => {
    const radio = first();
    radio.registering = () => Promise.reject(refused);
    const { page } = setUp(radio);
    const field = find<HTMLInputElement>(page, '#handle');
    field.value = ' Roadrunner ';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    find(page, 'form').dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
    await tick();
    await tick();
    expect(radio.calls).toContainEqual(['register', 'Roadrunner', undefined]);
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(find(page, '#handle-problem').textContent).toContain(refusals.handle_refused.message);
  });
});

describe('the radio', () => {
  test('a log-in that waits is told, before anything is known and after the link was lost', async () => {
    const since = performance.now();
    const queued = { what: 'turn', since, until: since + 4_000 } as const;
    const radio = new ScriptedRadio({ me: null, link: { state: 'connecting' }, queued });
    const { page, change } = setUp(radio);
    const isTold = () => page.textContent?.includes(later.queue.turn);
    await vi.waitUntil(isTold, LOADED);
    change({ ...idle(), link: { state: 'coming_back', retryAt: since, why: 'lost' }, queued });
    await vi.waitUntil(isTold, LOADED);
    change({ link: { state: 'on_the_air' }, queued: null });
    expect(isTold()).toBe(false);
  });

  test.each(['/c/019', '/c/19/'])(
    'the address %s becomes the one of its channel, without a word',
    (path) => {
      history.replaceState(null, '', path);
      const { page } = setUp(new ScriptedRadio());
      expect(page.querySelector('.banner')).toBeNull();
      expect(location.pathname).toBe('/c/19');
    },
  );

  test('a link to no channel is told on the air, too, until it was read', () => {
    history.replaceState(null, '', '/c/41');
    const { page } = setUp(new ScriptedRadio());
    expect(find(page, '.banner').textContent).toContain('There is no channel');
    find(page, `[aria-label="${text.notices.dismiss}"]`).click();
    flushSync();
    expect(page.querySelector('.banner')).toBeNull();
  });

  test.each(['no_voice', 'no_decoder', 'no_encoder', 'sound', 'page'] as const)(
    'the trouble %s is told, and whether to load the page again',
    async (trouble) => {
      const { page, change } = setUp(new ScriptedRadio());
      change({ trouble });
      await vi.waitUntil(() => page.querySelector('.banner'), LOADED);
      expect(find(page, '.banner').textContent).toContain(later.trouble[trouble].hint);
      const reload = trouble === 'sound' || trouble === 'page';
      expect(find(page, '.banner').textContent?.includes(text.notices.reload)).toBe(reload);
    },
  );

  test('a proxy that lets no radio through is named, while the page goes on trying', async () => {
    const { page, change } = setUp(new ScriptedRadio());
    const retryAt = performance.now() + 2_000;
    change({
      link: { state: 'coming_back', retryAt, why: 'barred' },
      button: { state: 'no_link' },
    });
    await vi.waitUntil(() => page.querySelector('.banner'), LOADED);
    expect(find(page, '.banner').textContent).toContain(later.trouble.barred.message);
    expect(page.textContent).toContain(text.link.coming_back_in(2));
    expect(page.textContent).not.toContain(text.talk.noLinkCaption.coming_back);
  });

  test('a server that does not answer is told after a while, with a way on', () => {
    const { page } = setUp(new ScriptedRadio({ me: null, link: { state: 'connecting' } }));
    expect(find(page, '.slow').textContent).toContain(text.link.slow);
    expect(find(page, '.slow button').textContent).toBe(text.notices.reload);
  });

  test('what is thrown while the page is drawn leaves words and a button', async () => {
    const thrown: string[] = [];
    const queue = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((run) => {
      Promise.resolve()
        .then(run)
        .catch((error) => thrown.push(String(error)));
    });
    onTestFinished(() => queue.mockRestore());
    const { page, change } = setUp(new ScriptedRadio());
    change({ air: [null as unknown as Burst] });
    await vi.waitUntil(() => page.querySelector('.banner'), LOADED);
    expect(page.textContent).toContain(later.trouble.page.message);
    expect(page.textContent).toContain(text.notices.reload);
    expect(thrown.join()).toContain('TypeError');
  });

  test('starts with what this browser remembers, at its channel', () => {
    localStorage.setItem('tenfour.preferences', '{"lowData":true}');
    const radio = new ScriptedRadio();
    setUp(radio);
    expect(radio.calls.slice(-2)).toEqual([['setLowData', true], ['start']]);
    expect(location.pathname).toBe('/c/19');
  });

  test('events become sentences of the live region, the same twice as well', () => {
    const radio = new ScriptedRadio();
    const { said } = setUp(radio);
    radio.emit({ type: 'incoming', talker: heron, channel: '19' });
    flushSync();
    expect(said()).toBe('Blue Heron 2mqd, Croatia, talking');
    radio.emit({ type: 'permit' });
    flushSync();
    expect(said()).toBe('you are on the air');
  });

  test('the button shows where the radio is', () => {
    const radio = new ScriptedRadio();
    const { page, change } = setUp(radio);
    const button = find(page, 'button.talk');
    expect(button.textContent).toContain(text.talk.hold);
    change({
      button: { state: 'talking', since: performance.now(), limit: 60_000, granted: true },
    });
    expect(button.textContent).toContain(text.talk.onTheAir);
    expect(button.getAttribute('aria-pressed')).toBe('true');
    change({ button: { state: 'no_microphone', why: 'missing' } });
    expect(page.textContent).toContain(faults.missing);
  });

  test('the ring of a burst is drawn once, however often its row changes', () => {
    const radio = new ScriptedRadio();
    const { page, change } = setUp(radio);
    const since = performance.now() - 5000;
    change({ button: { state: 'talking', since, limit: 60_000, granted: true } });
    const drawn = find(page, 'circle.left');
    const delay = drawn.getAttribute('style');
    expect(delay).toMatch(/animation-delay: -5\d{3}/);
    const until = performance.now() + 5;
    while (performance.now() < until);
    change({ air: [burst(me, 5, { own: true, state: 'talking' })] });
    expect(find(page, 'circle.left')).toBe(drawn);
    expect(drawn.getAttribute('style')).toBe(delay);
  });

  test('arrow keys turn the dial, but not while typing', () => {
    const radio = new ScriptedRadio();
    setUp(radio);
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
    expect(radio.calls).toContainEqual(['select', '20']);
    const field = document.createElement('input');
    document.body.append(field);
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true }));
    field.remove();
    expect(radio.named.filter((name) => name === 'select')).toHaveLength(1);
  });

  test('a touch on a burst says it again, but only while it is in memory', () => {
    const radio = new ScriptedRadio({
      air: [burst(heron, 2, { key: 'kept' }), burst(heron, 2, { key: 'gone', replayable: false })],
    });
    const { page } = setUp(radio);
    for (const row of page.querySelectorAll<HTMLElement>('.burst')) row.click();
    expect(radio.calls.filter(([name]) => name === 'sayAgain')).toEqual([['sayAgain', 'kept']]);
  });

  test('a notice is told and stays away once dismissed, until a new one comes', () => {
    const radio = new ScriptedRadio();
    const { page, change } = setUp(radio);
    const full: Refusal = { code: 'channel_full' };
    change({ notice: full });
    expect(find(page, '.banner').textContent).toContain(refusals.channel_full.message);
    find(page, `[aria-label="${text.notices.dismiss}"]`).click();
    flushSync();
    expect(page.querySelector('.banner')).toBeNull();
    change({ notice: { ...full } });
    expect(page.querySelector('.banner')).not.toBeNull();
  });

  test('blocked sound is told, and the first touch lets it out', () => {
    const radio = new ScriptedRadio({ soundBlocked: true });
    const { page } = setUp(radio);
    expect(page.textContent).toContain(text.notices.tapToHear);
    page.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }));
    expect(radio.named).toContain('unlockSound');
  });

  test('the people of a channel can be muted, oneself cannot', () => {
    const radio = new ScriptedRadio({ tuned: { '19': tunedTo('19', [me, heron]) } });
    const { page } = setUp(radio);
    const mutes = page.querySelectorAll<HTMLElement>('aside li button');
    expect(mutes).toHaveLength(1);
    mutes[0]?.click();
    expect(radio.calls).toContainEqual(['mute', heron.id, true]);
  });

  test('a handle that was heard with another tag is marked in the row and in the list', () => {
    const impostor = { id: 6, handle: 'BLUE HERON', tag: '9xyz' };
    const radio = new ScriptedRadio({
      known: new Map([['blueheron', heron.tag]]),
      tuned: { '19': tunedTo('19', [me, heron, impostor]) },
      air: [burst(heron, 2), burst(impostor, 2, { another: heron.tag })],
    });
    const { page, said } = setUp(radio);
    const mark = 'the one you heard before had the tag 2mqd';
    const marked = (selector: string) =>
      [...page.querySelectorAll(selector)].map(({ textContent }) => textContent?.includes(mark));
    expect(marked('.burst')).toEqual([false, true]);
    expect(page.querySelectorAll('.burst')[1]?.getAttribute('aria-label')).toContain(mark);
    expect(marked('aside li').filter(Boolean)).toHaveLength(1);
    radio.emit({ type: 'incoming', talker: impostor, channel: '19', another: heron.tag });
    flushSync();
    expect(said()).toContain(mark);
  });

  test('a link that is gone says why and offers the way back', () => {
    const radio = new ScriptedRadio({
      ...idle(),
      link: { state: 'gone', refusal: { code: 'logged_out' } },
    });
    const { page } = setUp(radio);
    const banner = find(page, '.banner');
    expect(banner.textContent).toContain(refusals.logged_out.message);
    find(banner, 'button').click();
    expect(radio.named).toContain('retry');
  });
});
