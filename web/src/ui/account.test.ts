import { tick } from 'svelte';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Me } from '../gen/Me';
import { KeyFault } from '../radio/keyFault';
import { text } from '../text';
import { refusals } from '../text/en.refusals';
import { later } from '../text/later';
import { loadRefusals } from '../text/refusals.svelte';
import AccountSettings from './AccountSettings.svelte';
import { changes, fileName, keyFileName } from './account';
import { draw, find } from './testing/draw';
import { ScriptedRadio } from './testing/scriptedRadio';

beforeAll(loadRefusals);

const me: Me = { user: 'u', tag: 'p3ax', handle: 'Papa Tango', description: 'night shift' };

describe('what is to be changed', () => {
  test.each([
    ['nothing', ' Papa Tango ', 'night shift ', null],
    ['the handle alone', 'Oak', 'night shift', { handle: 'Oak' }],
    ['the line alone', 'Papa Tango', 'day shift', { description: 'day shift' }],
    ['an empty line is taken away', 'Papa Tango', '  ', { description: null }],
  ])('%s', (_, handle, description, profile) => {
    expect(changes(me, handle, description)).toEqual(profile);
  });
});

test('the file is named after the handle, without what file systems do not take', () => {
  expect(fileName('Papa Tango')).toBe('tenfour-Papa Tango.json');
  expect(fileName('a/b\\c:d')).toBe('tenfour-a-b-c-d.json');
  expect(fileName('Ćirić')).toBe('tenfour-Ćirić.json');
  expect(keyFileName('Papa/Tango')).toBe('tenfour-Papa-Tango.key.json');
});

describe('the account settings', () => {
  function setUp() {
    const radio = new ScriptedRadio();
    const told: string[] = [];
    const page = draw(AccountSettings, {
      account: radio.account,
      me,
      onlogout: () => told.push('logged out'),
      onerased: () => told.push('erased'),
    });
    const button = (name: string) => {
      const all = [...page.querySelectorAll('button')];
      const found = all.find((one) => one.textContent?.trim() === name);
      if (!found) throw new Error(`no button ${name}`);
      return found;
    };
    const settle = async () => {
      for (let turn = 0; turn < 5; turn += 1) await tick();
    };
    return { radio, told, page, button, settle };
  }

  test('a refused handle is told at its field, and has the focus', async () => {
    const { radio, page, settle } = setUp();
    radio.refusal = { code: 'handle_refused' };
    const field = find<HTMLInputElement>(page, '#own-handle');
    field.value = 'Oak';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    find(page, 'form').dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
    await settle();
    expect(radio.calls).toEqual([['change', { handle: 'Oak' }]]);
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(find(page, '#own-handle-problem').textContent).toContain(
      refusals.handle_refused.message,
    );
    expect(document.activeElement).toBe(field);
  });

  test('a key is taken along under a passphrase that is typed twice', async () => {
    const { radio, page, settle } = setUp();
    const type = (id: string, value: string) => {
      const field = find<HTMLInputElement>(page, id);
      field.value = value;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    };
    const submit = async () => {
      const form = find<HTMLInputElement>(page, '#key-passphrase').closest('form');
      form?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
      await settle();
    };
    type('#key-passphrase', 'five by five');
    type('#key-again', 'five by six');
    await submit();
    expect(find(page, '#key-again-problem').textContent).toContain('not the same');
    expect(document.activeElement).toBe(find(page, '#key-again'));
    expect(radio.calls).toEqual([]);
    type('#key-again', 'five by five');
    radio.fault = new KeyFault('length');
    await submit();
    expect(find(page, '#key-passphrase-problem').textContent).toContain('8 characters');
    radio.fault = new KeyFault('kept');
    await submit();
    expect(page.textContent).toContain('does not give your key out');
    radio.fault = null;
    await submit();
    expect(radio.calls.at(-1)).toEqual(['exportKey', 'five by five']);
    expect(page.textContent).toContain('tenfour-Papa Tango.key.json');
    expect(find<HTMLInputElement>(page, '#key-passphrase').value).toBe('');
  });

  test('a message that is refused is told, and what was written stays; sent, it goes', async () => {
    const { radio, page, button, settle } = setUp();
    const field = find<HTMLTextAreaElement>(page, '#contact');
    const send = async () => {
      button(later.account.contactSend).click();
      field.form?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
      await settle();
    };
    await send();
    expect(radio.calls).toEqual([]);
    expect(page.textContent).toContain(later.account.contactEmpty);
    field.value = 'Somebody whistles\non 19.';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    radio.refusal = { code: 'too_many_contacts' };
    await send();
    expect(find(page, '#contact-problem').textContent).toContain(
      refusals.too_many_contacts.message,
    );
    expect(field.value).toBe('Somebody whistles\non 19.');
    expect(document.activeElement).toBe(field);
    radio.refusal = null;
    await send();
    expect(radio.calls.at(-1)).toEqual(['contact', 'Somebody whistles\non 19.']);
    expect(field.value).toBe('');
    expect(page.textContent).toContain(later.account.contactSent);
  });

  test('letters are counted near the limit, and those that are too many', async () => {
    const { page, settle } = setUp();
    const field = find<HTMLTextAreaElement>(page, '#contact');
    for (const [length, told] of [
      [1800, ''],
      [1990, text.welcome.left(10)],
      [2003, text.welcome.over(3)],
    ] as const) {
      field.value = '🚚'.repeat(length);
      field.dispatchEvent(new Event('input', { bubbles: true }));
      await settle();
      expect(page.querySelector('#contact-hint span + span')?.textContent ?? '').toBe(told);
    }
  });

  test('erasing asks first, and the focus is on the harmless answer', async () => {
    const { radio, told, button, settle } = setUp();
    button(later.account.erase).click();
    await settle();
    expect(document.activeElement).toBe(button(later.account.keep));
    expect(radio.calls).toEqual([]);
    button(later.account.keep).click();
    await settle();
    expect(document.activeElement).toBe(button(later.account.erase));
    button(later.account.erase).click();
    await settle();
    button(later.account.eraseNow).click();
    await settle();
    expect(radio.calls).toEqual([['erase']]);
    expect(told).toEqual(['erased']);
  });

  test('a refused erasure is told, and nothing is forgotten', async () => {
    const { radio, told, page, button, settle } = setUp();
    radio.refusal = { code: 'store_unavailable' };
    button(later.account.erase).click();
    await settle();
    button(later.account.eraseNow).click();
    await settle();
    expect(find(page, '[role=alert]').textContent).toContain(refusals.store_unavailable.message);
    expect(told).toEqual([]);
    expect(button(later.account.eraseNow)).toBeTruthy();
  });
});
