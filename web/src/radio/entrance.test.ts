import { expect, test } from 'vitest';
import type { Code } from '../gen/Code';
import type { Me } from '../gen/Me';
import type { Nonce } from '../gen/Nonce';
import { Entrance } from './entrance';
import type { DeviceKey } from './identity';
import type { Queued } from './model';
import { refusal } from './refusal';
import { settle, VirtualClock } from './testing/clock';

const me: Me = { user: 'u', tag: 't', handle: 'Roadrunner' };
const key: DeviceKey = {
  publicKey: new Uint8Array(32),
  user: new Uint8Array(20),
  sign: async (bytes) => bytes,
  pair: {} as CryptoKeyPair,
};

/** What the server does with one try: what its nonce asks for, and how it refuses. */
interface Try {
  asks?: number;
  refuses?: Code;
  after?: number;
}

/** A server that has a plan for each try, and takes what comes after. */
function setUp(plan: Try[], solving: (bits: number) => Promise<number> = async (bits) => bits) {
  const clock = new VirtualClock();
  const told: (Queued | null)[] = [];
  const tries: { at: number; work: number | undefined }[] = [];
  const answer = async (work: number | undefined, next: Try) => {
    tries.push({ at: clock.now(), work });
    if (!next.refuses) return me;
    const { refuses, after } = next;
    throw {
      ...refusal(refuses),
      ...(after === undefined ? {} : { retry_after_ms: after }),
    };
  };
  let stopped = 0;
  const entrance = new Entrance({
    clock,
    tell: (queued) => told.push(queued),
    solve: ({ bits }, tell) => {
      tell(0.5);
      return { solution: solving(bits), stop: () => (stopped += 1) };
    },
    api: {
      register: async (_, _handle, _description, work) => {
        const next = plan.shift() ?? {};
        const nonce: Nonce = { nonce: 'AAAA', expiry: 1 };
        return answer(await work(next.asks ? { ...nonce, work: next.asks } : nonce), next);
      },
      login: () => answer(undefined, plan.shift() ?? {}),
    },
  });
  return { clock, told, tries, entrance, stopped: () => stopped };
}

/** What becomes of an entrance within so many ms. */
async function outcome(act: Promise<Me>, clock: VirtualClock, within: number) {
  const done = act.catch((error: unknown) => error);
  await clock.pass(within);
  return Promise.race([done, settle().then(() => 'nothing')]);
}

test('whoever is told to wait comes back at that moment, and is told of it', async () => {
  const { clock, told, tries, entrance } = setUp([
    { refuses: 'too_many_requests', after: 4_000 },
    { refuses: 'too_many_requests', after: 250 },
  ]);
  expect(await outcome(entrance.register(key, 'Roadrunner'), clock, 5_000)).toBe(me);
  expect(tries.map(({ at }) => at)).toEqual([0, 4_000, 4_250]);
  expect(told).toEqual([
    { what: 'turn', since: 0, until: 4_000 },
    { what: 'turn', since: 4_000, until: 4_250 },
    null,
  ]);
});

test('a log-in waits likewise', async () => {
  const { clock, tries, entrance } = setUp([{ refuses: 'too_many_requests', after: 700 }]);
  expect(await outcome(entrance.login(key), clock, 700)).toBe(me);
  expect(tries).toHaveLength(2);
});

test('nobody waits for longer than two minutes in all', async () => {
  const wait: Try = { refuses: 'too_many_requests', after: 50_000 };
  const { clock, tries, told, entrance } = setUp([wait, wait, wait]);
  const end = await outcome(entrance.register(key, 'Roadrunner'), clock, 100_000);
  expect(end).toMatchObject({ code: 'too_many_requests', retry_after_ms: 50_000 });
  expect(tries.map(({ at }) => at)).toEqual([0, 50_000, 100_000]);
  expect(told.at(-1)).toBeNull();
});

test('work that a nonce asks for is done and shown', async () => {
  const { clock, told, tries, entrance, stopped } = setUp([{ asks: 20 }]);
  expect(await outcome(entrance.register(key, 'Roadrunner'), clock, 0)).toBe(me);
  expect(tries).toEqual([{ at: 0, work: 20 }]);
  expect(told).toEqual([{ what: 'work', share: 0 }, { what: 'work', share: 0.5 }, null]);
  expect(stopped()).toBe(1);
});

test('work that was not announced is done at the next try, and refused again it is told', async () => {
  const needed: Try = { refuses: 'work_needed' };
  const once = setUp([needed]);
  expect(await outcome(once.entrance.register(key, 'Roadrunner'), once.clock, 0)).toBe(me);
  expect(once.tries.map(({ work }) => work)).toEqual([undefined, 20]);
  const twice = setUp([needed, needed]);
  const end = await outcome(twice.entrance.register(key, 'Roadrunner'), twice.clock, 0);
  expect(end).toMatchObject({ code: 'work_needed' });
});

test('a nonce that expired over the work is asked for anew, others are not', async () => {
  const expired = setUp([{ asks: 20, refuses: 'nonce_expired' }, { asks: 20 }]);
  expect(await outcome(expired.entrance.register(key, 'Roadrunner'), expired.clock, 0)).toBe(me);
  const plain = setUp([{ refuses: 'nonce_expired' }]);
  const end = await outcome(plain.entrance.register(key, 'Roadrunner'), plain.clock, 0);
  expect(end).toMatchObject({ code: 'nonce_expired' });
});

test.each([
  ['has no end', 20, () => new Promise<number>(() => {}), 120_000],
  ['cannot be done', 20, () => Promise.reject(new Error('no worker')), 0],
  ['is more than a place is worth', 25, async () => 0, 0],
])('work that %s is told as such', async (_, asks, solving, within) => {
  const { clock, told, tries, entrance } = setUp([{ asks }, { asks }], solving);
  const end = await outcome(entrance.register(key, 'Roadrunner'), clock, within);
  expect(end).toMatchObject({ code: 'work_needed' });
  expect(tries).toEqual([]);
  expect(told.at(-1)).toBeNull();
});

test('what waiting does not cure is told at once', async () => {
  const { clock, told, entrance } = setUp([{ refuses: 'handle_refused' }]);
  const end = await outcome(entrance.register(key, 'Roadrunner'), clock, 0);
  expect(end).toMatchObject({ code: 'handle_refused' });
  expect(told).toEqual([null]);
});
