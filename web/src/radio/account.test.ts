import { expect, test } from 'vitest';
import type { Held } from '../gen/Held';
import type { Me } from '../gen/Me';
import { StoredAccount } from './account';
import type { DeviceKey } from './identity';
import { identify, publicKeyOf, userId } from './identity';
import { KeyFault } from './keyFault';
import { openKeyFile } from './keyFile';
import { asRefusal, refusal } from './refusal';
import { Store } from './store';
import { vectors } from './testing/vectors';

const me: Me = { user: 'k7f2', tag: 'k7f2', handle: 'Roadrunner' };
const broken = refusal('store_unavailable');

/** An account whose acts are written down in order; `fails` are those that throw. */
function setUp(
  fails: Record<string, unknown> = {},
  afterRestart: 'on_the_air' | 'unregistered' = 'on_the_air',
  key: DeviceKey | null = null,
) {
  const store = new Store('radio.example', '19');
  store.set({ me, link: { state: 'on_the_air' } });
  const done: string[] = [];
  const act = async (name: string) => {
    done.push(name);
    if (name in fails) throw fails[name];
  };
  const account = new StoredAccount({
    store,
    api: {
      change: async (profile) => {
        await act('change');
        return { ...me, handle: profile.handle ?? me.handle };
      },
      held: async () => {
        await act('held');
        return { ...me, key: '', created: '', sessions: [] } satisfies Held;
      },
      contact: () => act('contact'),
      logOutEverywhere: () => act('logOutEverywhere'),
      erase: () => act('erase'),
    },
    setLink: (link) => store.set({ link }),
    leave: () => done.push('leave'),
    key: () => key,
    adopt: () => act('adopt'),
    restart: async () => {
      await act('restart');
      store.set({ link: { state: afterRestart } });
    },
    forget: () => act('forget'),
  });
  return { account, store, done };
}

test('a change is seen as the server has it', async () => {
  const { account, store } = setUp();
  await account.change({ handle: 'Oak' });
  expect(store.state.me?.handle).toBe('Oak');
});

test('a refused change is thrown and changes nothing', async () => {
  const { account, store } = setUp({ change: broken });
  await expect(account.change({ handle: 'Oak' })).rejects.toBe(broken);
  expect(store.state.me).toBe(me);
});

test('what is no refusal is told as an unreachable server', async () => {
  const { account } = setUp({ held: new TypeError('odd') });
  await expect(account.held()).rejects.toEqual(asRefusal(null));
});

const file = JSON.stringify(vectors<{ file: unknown }>('key_file.json').file);

test('the key of a file is adopted, and a key that is new here is told', async () => {
  const known = setUp();
  await expect(known.account.importKey(file, 'five by five, No1 Zoë')).resolves.toBe(true);
  expect(known.done).toEqual(['adopt']);
  const unknown = setUp({ adopt: refusal('not_registered') });
  await expect(unknown.account.importKey(file, 'five by five, No1 Zoë')).resolves.toBe(false);
  const lost = setUp({ adopt: broken });
  await expect(lost.account.importKey(file, 'five by five, No1 Zoë')).rejects.toBe(broken);
});

test('a passphrase that does not fit is told, and nothing is adopted', async () => {
  const { account, done } = setUp();
  const fault = new KeyFault('passphrase');
  await expect(account.importKey(file, 'five by six')).rejects.toEqual(fault);
  expect(done).toEqual([]);
});

test('an exported key is the one of this browser', async () => {
  const pair = await openKeyFile(file, 'five by five, No1 Zoë');
  const publicKey = await publicKeyOf(pair);
  const user = await identify(publicKey);
  const key: DeviceKey = { publicKey, user, pair, sign: async (bytes) => bytes };
  const written = await setUp({}, 'on_the_air', key).account.exportKey('kilo mike');
  expect(JSON.parse(written)).toMatchObject({ format: 'tenfour-key', user: userId(user) });
  expect(await publicKeyOf(await openKeyFile(written, 'kilo mike'))).toEqual(publicKey);
});

test('a message that is not taken is thrown', async () => {
  const { account, done } = setUp({ contact: broken });
  await expect(account.contact('Hello')).rejects.toBe(broken);
  expect(done).toEqual(['contact']);
});

test('erasing leaves first, then erases, then forgets the key, and is back at the first visit', async () => {
  const { account, store, done } = setUp();
  await account.erase();
  expect(done).toEqual(['leave', 'erase', 'forget']);
  expect(store.state).toMatchObject({ me: null, link: { state: 'unregistered' } });
});

test('an erasure that fails keeps the key and logs in, to try again', async () => {
  const { account, store, done } = setUp({ erase: broken });
  await expect(account.erase()).rejects.toBe(broken);
  expect(done).toEqual(['leave', 'erase', 'restart']);
  expect(store.state).toMatchObject({ me, link: { state: 'on_the_air' } });
});

test('an erasure whose answer was lost is found out, and the key goes', async () => {
  const { account, store, done } = setUp({ erase: broken }, 'unregistered');
  await account.erase();
  expect(done).toEqual(['leave', 'erase', 'restart', 'forget']);
  expect(store.state.me).toBeNull();
});

test('a key that the browser does not delete is told', async () => {
  const { account, store } = setUp({ forget: broken });
  await account.erase();
  expect(store.state.link).toMatchObject({ state: 'gone', refusal: { as: 'key_kept' } });
});

test('logging out everywhere stays on the air until the server has done it', async () => {
  const refused = setUp({ logOutEverywhere: broken });
  await expect(refused.account.logOutEverywhere()).rejects.toBe(broken);
  expect(refused.done).not.toContain('leave');
  const taken = setUp();
  await taken.account.logOutEverywhere();
  expect(taken.store.state.link).toMatchObject({ state: 'gone', refusal: { code: 'logged_out' } });
});
