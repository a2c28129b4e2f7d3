import { beforeEach, describe, expect, test } from 'vitest';
import { backoff } from './backoff';
import type { LinkOptions, Probed, SocketEvents } from './link';
import { Link } from './link';
import type { Link as LinkState } from './model';
import { VirtualClock } from './testing/clock';

const WELCOME = {
  type: 'welcome',
  you: { id: 1, handle: 'A', tag: 'aaaa' },
  resume: 'token-1',
  resumed: false,
  tuned: [],
  hold_ms: 10_000,
  talk_limit_ms: 60_000,
  epoch_in_ms: 412_000,
  host: 'Tenfour',
  server: 'tenfour 0.1.0',
};

const DEVICE = { platform: 'Android', version: 'tenfour-web 0.1.0' };

class Peer {
  readonly sent: Record<string, unknown>[] = [];
  closed = false;
  constructor(readonly events: SocketEvents) {}
  send(data: string | Uint8Array): void {
    if (typeof data === 'string') this.sent.push(JSON.parse(data));
  }
  close(): void {
    this.closed = true;
  }
  say(message: object): void {
    this.events.text(JSON.stringify(message));
  }
  welcome(change: object = {}): void {
    this.events.opened();
    this.say({ ...WELCOME, ...change });
  }
}

let clock: VirtualClock;
let peers: Peer[];
let states: LinkState[];
let lost: number;
let probed: number;
let refusal: Probed;
let heard: unknown[];
let economy: boolean;
let place: ReturnType<LinkOptions['place']>;
let link: Link;

const peer = () => peers.at(-1) as Peer;
const state = () => states.at(-1);

beforeEach(() => {
  clock = new VirtualClock();
  [peers, states, heard] = [[], [], []];
  [lost, probed, refusal, economy, place] = [0, 0, null, false, {}];
  link = new Link(
    {
      clock,
      random: () => 0,
      open: (events) => {
        peers.push(new Peer(events));
        return peer();
      },
      client: 'tenfour-web 0.1.0',
      economy: () => economy,
      place: () => place,
      device: () => DEVICE,
      heard: () => ({ newest: 7, have: [{ burst: 7, next: 3 }] }),
      probe: async () => {
        probed += 1;
        return refusal;
      },
    },
    {
      changed: (change) => states.push(change),
      welcomed: () => {},
      message: (message) => heard.push(message),
      voice: (bytes) => heard.push(bytes),
      lost: () => {
        lost += 1;
      },
    },
  );
});

describe('a link', () => {
  test('says hello and is on the air with the welcome', () => {
    link.start();
    expect(state()).toEqual({ state: 'connecting' });
    expect(link.send({ type: 'ping', n: 1 })).toBe(false);
    peer().events.opened();
    expect(peer().sent).toEqual([{ type: 'hello', client: 'tenfour-web 0.1.0', device: DEVICE }]);
    peer().say(WELCOME);
    expect(state()).toEqual({ state: 'on_the_air' });
    expect(link.send({ type: 'tune', channel: '19' })).toBe(true);
  });

  test('resumes after a drop with its token and what it has heard', async () => {
    link.start();
    peer().welcome();
    peer().events.closed(1006);
    expect(lost).toBe(1);
    expect(state()).toMatchObject({ state: 'coming_back', why: 'lost', retryAt: 250 });
    await clock.pass(250);
    peer().events.opened();
    expect(peer().sent[0]).toMatchObject({
      resume: { token: 'token-1', newest: 7, have: [{ burst: 7, next: 3 }] },
    });
    expect(probed).toBe(0);
  });

  test('says place and ranges with each hello, as they are then', async () => {
    place = { place: { cell: '861ec9077ffffff' }, range: { tx: '25km', rx: 'unlimited' } };
    link.start();
    peer().welcome();
    expect(peer().sent[0]).toEqual({
      type: 'hello',
      client: 'tenfour-web 0.1.0',
      device: DEVICE,
      ...place,
    });
    peer().events.closed(1006);
    place = {};
    await clock.pass(250);
    peer().events.opened();
    expect(peer().sent[0]).not.toHaveProperty('place');
    expect(peer().sent[0]).not.toHaveProperty('range');
  });

  test('waits twice as long after each try, up to 10 s', async () => {
    link.start();
    const waits: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      peer().events.closed(1006);
      await clock.pass(0);
      const now = state();
      if (now?.state !== 'coming_back') throw new Error(JSON.stringify(now));
      waits.push(now.retryAt - clock.now());
      await clock.pass(now.retryAt - clock.now());
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  test('three sockets in a row that do not open while HTTP is answered are barred, until one opens', async () => {
    const whys: string[] = [];
    const fail = async () => {
      peer().events.closed(1006);
      await clock.pass(0);
      const now = state();
      if (now?.state !== 'coming_back') throw new Error(JSON.stringify(now));
      whys.push(now.why);
      await clock.pass(now.retryAt - clock.now());
    };
    link.start();
    refusal = 'answered';
    for (let i = 0; i < 4; i += 1) await fail();
    // It is still tried, and a server that does not answer at all is another thing.
    refusal = null;
    await fail();
    refusal = 'answered';
    for (let i = 0; i < 3; i += 1) await fail();
    peer().welcome();
    await fail();
    // A socket that opens and is closed again was let through.
    peer().events.opened();
    await fail();
    expect(whys).toEqual([
      ...['lost', 'lost', 'barred', 'barred'],
      'lost',
      ...['lost', 'lost', 'barred'],
      ...['lost', 'lost'],
    ]);
  });

  test('starts short again only after a connection that stood', async () => {
    link.start();
    for (const wait of [250, 500]) {
      peer().welcome();
      peer().events.closed(1006);
      expect(state()).toMatchObject({ retryAt: clock.now() + wait });
      await clock.pass(wait);
    }
    peer().welcome();
    await clock.pass(5_000);
    peer().events.closed(1006);
    expect(state()).toMatchObject({ retryAt: clock.now() + 250 });
  });

  test('gives up a server that answers no ping within 10 s', async () => {
    link.start();
    peer().welcome();
    await clock.pass(20_000);
    expect(peer().sent.at(-1)).toEqual({ type: 'ping', n: 1 });
    peer().say({ type: 'pong', n: 1 });
    await clock.pass(20_000 + 9_999);
    expect(state()).toEqual({ state: 'on_the_air' });
    await clock.pass(1);
    expect(state()?.state).toBe('coming_back');
    expect(peer().closed).toBe(true);
  });

  test('comes back when the server says, and a random share later', async () => {
    link.start();
    peer().welcome();
    peer().say({ type: 'going_away', back_in_ms: 2_000 });
    peer().events.closed(1012);
    expect(state()).toMatchObject({ state: 'coming_back', why: 'going_away', retryAt: 2_000 });
  });

  test('is gone when the person has too many connections, and does not take turns with them', async () => {
    link.start();
    peer().welcome();
    peer().events.closed(4003);
    expect(state()).toMatchObject({ state: 'gone', refusal: { code: 'replaced' } });
    await clock.pass(60_000);
    expect(peers).toHaveLength(1);
  });

  test('is gone when newer log-ins took its place, and does not take theirs', async () => {
    link.start();
    peer().welcome();
    peer().events.closed(4004);
    expect(state()).toMatchObject({ state: 'gone', refusal: { code: 'displaced' } });
    await clock.pass(60_000);
    expect(peers).toHaveLength(1);
  });

  test('is gone after a log-out and stays so', async () => {
    link.start();
    peer().welcome();
    peer().events.closed(4001);
    expect(state()).toMatchObject({ state: 'gone', refusal: { code: 'logged_out' } });
    await clock.pass(60_000);
    expect(peers).toHaveLength(1);
  });

  test('asks over HTTP why a socket did not open, and goes on when told to', async () => {
    link.start();
    peer().events.closed(1006);
    await clock.pass(250);
    expect(probed).toBe(1);
    expect(peers).toHaveLength(2);
    refusal = { code: 'foreign_origin' };
    peer().events.closed(1006);
    await clock.pass(60_000);
    expect(state()).toMatchObject({ state: 'gone', refusal: { code: 'foreign_origin' } });
    expect(peers).toHaveLength(2);
  });

  test('gives up a server that does not greet within 10 s', async () => {
    link.start();
    peer().events.opened();
    await clock.pass(10_000);
    expect(peer().closed).toBe(true);
    expect(state()?.state).toBe('coming_back');
  });

  test('takes a hint that the network is back', async () => {
    link.start();
    peer().welcome();
    link.nudge();
    expect(peer().sent.at(-1)).toEqual({ type: 'ping', n: 1 });
    peer().events.closed(1006);
    link.nudge();
    expect(peers).toHaveLength(2);
    await clock.pass(9_000);
    expect(peers).toHaveLength(2);
  });

  test('ignores a socket it has left, and what it does not know', () => {
    link.start();
    peer().welcome();
    const [old] = peers;
    economy = true;
    link.renew();
    expect(lost).toBe(1);
    old?.events.closed(1006);
    old?.say({ type: 'pong', n: 1 });
    peer().welcome();
    expect(peer().sent[0]).toMatchObject({ economy: true, resume: { token: 'token-1' } });
    peer().events.text('no json');
    peer().events.text('17');
    peer().say({ type: 'weather', sun: true });
    expect(state()).toEqual({ state: 'on_the_air' });
    expect(heard).toEqual([{ type: 'weather', sun: true }]);
  });
});

test('waits are shortened by up to a half', () => {
  expect(backoff(0, 0)).toBe(250);
  expect(backoff(0, 1)).toBe(125);
  expect(backoff(40, 0)).toBe(10_000);
});
