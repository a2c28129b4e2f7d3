import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ClientMessage } from '../gen/ClientMessage';
import type { Code } from '../gen/Code';
import type { Ranges } from '../gen/Ranges';
import type { Location } from './model';
import { EPOCH, EPOCH_LEAD, Place, READ_AHEAD } from './place';
import { UNLIMITED } from './range';
import { settle, VirtualClock } from './testing/clock';
import { ScriptedPosition } from './testing/position';

const HOME = '861ec9077ffffff';
const AWAY = '861ec9747ffffff';
const NEAR: Ranges = { tx: '25km', rx: '50km' };
/** What `welcome` of these tests says: seven minutes. */
const TO_BOUNDARY = 7 * 60_000;

let clock: VirtualClock;
let position: ScriptedPosition;
let sent: ClientMessage[];
let up: boolean;
let location: Location;
let ranges: Ranges;
let place: Place;

beforeEach(() => {
  clock = new VirtualClock();
  position = new ScriptedPosition();
  [sent, up, location, ranges] = [[], false, { state: 'not_shared' }, UNLIMITED];
  place = new Place({
    clock,
    position,
    send: (message) => {
      if (up) sent.push(message);
      return up;
    },
    changed: (now, far) => {
      [location, ranges] = [now, far];
    },
    ranged: () => {},
  });
});

/** A connection: what its hello said, from the welcome on. */
function connect(epochInMs = TO_BOUNDARY) {
  const hello = place.hello();
  up = true;
  sent = [];
  place.welcomed(epochInMs);
  return hello;
}

function drop(): void {
  up = false;
  place.lost();
}

const located = (more: object = {}) => place.located({ type: 'located', shared: true, ...more });
const unlocated = () => place.located({ type: 'located', shared: false });
const refuse = (code: Code, more: object = {}) =>
  place.refused({ code, message: '', hint: '', ...more });

/** On the air with HOME and NEAR in force. */
async function shared(): Promise<void> {
  connect();
  await place.share(NEAR);
  located({ country: 'RS', stamp: 'stamp-1' });
  place.ranged(NEAR);
  sent = [];
}

/** On the air, HOME in force, and AWAY said shortly before the boundary. */
async function moved(): Promise<void> {
  await shared();
  position.reading = { cell: AWAY };
  await clock.pass(TO_BOUNDARY - EPOCH_LEAD);
  expect(sent).toEqual([{ type: 'locate', cell: AWAY }]);
  located({ country: 'RS', effective_in_ms: EPOCH_LEAD });
  sent = [];
}

describe('a first location', () => {
  test('is not looked for until somebody shares it', async () => {
    expect(connect()).toEqual({});
    await clock.pass(2 * EPOCH);
    expect(position.reads).toBe(0);
    expect(sent).toEqual([]);
  });

  test('is said at once, then the ranges', async () => {
    connect();
    position.held = true;
    const sharing = place.share(NEAR);
    expect(location).toEqual({ state: 'asking' });
    position.release();
    await sharing;
    expect(sent).toEqual([
      { type: 'locate', cell: HOME },
      { type: 'range', ...NEAR },
    ]);
    located({ country: 'RS', stamp: 's' });
    expect(location).toEqual({ state: 'shared', inForce: true, country: 'RS' });
    expect(ranges).toEqual(NEAR);
  });

  test('found before the link is up goes with hello', async () => {
    await place.share(NEAR);
    expect(connect()).toEqual({ place: { cell: HOME }, range: NEAR });
    expect(sent).toEqual([]);
  });

  test('found between hello and welcome is said after it', async () => {
    place.hello();
    await place.share({ ...UNLIMITED, rx: '10km' });
    up = true;
    place.welcomed(TO_BOUNDARY);
    expect(sent.map(({ type }) => type)).toEqual(['locate', 'range']);
  });

  test('unlimited ranges are not worth a message', async () => {
    connect();
    await place.share(UNLIMITED);
    expect(sent).toEqual([{ type: 'locate', cell: HOME }]);
  });

  test.each([
    ['denied', { state: 'denied' }],
    ['dismissed', { state: 'not_shared' }],
    ['unavailable', { state: 'not_shared', lost: 'unavailable' }],
    ['unsupported', { state: 'unsupported' }],
  ] as const)('that is %s leaves everything unlimited', async (fault, state) => {
    connect();
    position.reading = { fault };
    await place.share(NEAR);
    expect(location).toEqual(state);
    expect(ranges).toEqual(UNLIMITED);
    place.setRanges(NEAR);
    await clock.pass(2 * EPOCH);
    expect(sent).toEqual([]);
    expect(position.reads).toBe(1);
  });

  test('taken back while the browser still asks is not said', async () => {
    connect();
    position.held = true;
    const sharing = place.share(NEAR);
    place.unshare();
    position.release();
    await sharing;
    expect(sent).toEqual([]);
    expect(location).toEqual({ state: 'not_shared' });
  });

  test('is asked for once, however often the range is touched meanwhile', async () => {
    connect();
    position.held = true;
    void place.share(NEAR);
    void place.share(NEAR);
    await settle();
    expect(position.reads).toBe(1);
  });
});

describe('at the next visit', () => {
  test.each(['prompt', 'denied', 'unknown', 'unsupported'] as const)(
    'nothing is read when the permission is %s',
    async (allowed) => {
      position.allowed = allowed;
      await place.restore(NEAR);
      expect(position.reads).toBe(0);
      expect(connect()).toEqual({});
    },
  );

  test('a permission that stands is used without asking', async () => {
    await place.restore(NEAR);
    expect(connect()).toEqual({ place: { cell: HOME }, range: NEAR });
  });
});

describe('epochs', () => {
  test('a move is read once an epoch and said 10 s before the boundary, never else', async () => {
    await shared();
    position.reading = { cell: AWAY };
    await clock.pass(TO_BOUNDARY - EPOCH_LEAD - READ_AHEAD - 1);
    expect(position.reads).toBe(1);
    await clock.pass(1);
    expect(position.reads).toBe(2);
    await clock.pass(READ_AHEAD - 1);
    expect(sent).toEqual([]);
    await clock.pass(1);
    expect(sent).toEqual([{ type: 'locate', cell: AWAY }]);
    expect(location).toMatchObject({ inForce: true, effectiveAt: TO_BOUNDARY });
  });

  test('staying in the cell says nothing, for hours', async () => {
    await shared();
    await clock.pass(8 * EPOCH);
    expect(sent).toEqual([]);
    expect(position.reads).toBe(1 + 8);
  });

  test('each later boundary comes 15 minutes after the one before', async () => {
    await moved();
    await clock.pass(EPOCH_LEAD);
    located({ country: 'RS', stamp: 'stamp-2' });
    expect(location).toEqual({ state: 'shared', inForce: true, country: 'RS' });
    position.reading = { cell: HOME };
    await clock.pass(EPOCH - EPOCH_LEAD - 1);
    expect(sent).toEqual([]);
    await clock.pass(1);
    expect(sent).toEqual([{ type: 'locate', cell: HOME }]);
  });

  test('a jump of the wall clock does nothing', async () => {
    await shared();
    position.reading = { cell: AWAY };
    const wall = vi.spyOn(Date, 'now').mockReturnValue(0);
    await clock.pass(TO_BOUNDARY - EPOCH_LEAD - 1);
    wall.mockReturnValue(Number.MAX_SAFE_INTEGER);
    expect(sent).toEqual([]);
    await clock.pass(1);
    expect(sent).toEqual([{ type: 'locate', cell: AWAY }]);
    wall.mockRestore();
  });

  test('a connection just before the boundary does not hurry a reading', async () => {
    await place.share(NEAR);
    connect(EPOCH_LEAD / 2);
    await clock.pass(EPOCH_LEAD / 2);
    expect(position.reads).toBe(1);
    await clock.pass(EPOCH - EPOCH_LEAD);
    expect(position.reads).toBe(2);
  });

  test('a reading that comes too late for its boundary is dropped', async () => {
    await shared();
    position.reading = { cell: AWAY };
    position.held = true;
    await clock.pass(TO_BOUNDARY + 1);
    position.release();
    await clock.pass(EPOCH / 2);
    expect(sent).toEqual([]);
  });

  test('a reading that finds nothing leaves the cell', async () => {
    await shared();
    position.reading = { fault: 'unavailable' };
    await clock.pass(EPOCH);
    expect(sent).toEqual([]);
    expect(location).toMatchObject({ state: 'shared', inForce: true });
  });

  test('nobody is asked a second time: no reading where the browser would prompt', async () => {
    await shared();
    position.allowed = 'prompt';
    await clock.pass(4 * EPOCH);
    expect(position.reads).toBe(1);
    expect(location).toMatchObject({ state: 'shared' });
  });
});

describe('a reconnect', () => {
  test('repeats cell, stamp and ranges', async () => {
    await shared();
    for (let i = 0; i < 5; i += 1) {
      drop();
      position.reading = { cell: AWAY };
      expect(connect(60_000)).toEqual({
        place: { cell: HOME, stamp: 'stamp-1' },
        range: NEAR,
      });
      expect(sent).toEqual([]);
    }
    expect(position.reads).toBe(1);
  });

  test('still knows the stamp after an answer that brings none', async () => {
    await shared();
    located({ country: 'RS' });
    drop();
    expect(connect()).toMatchObject({ place: { cell: HOME, stamp: 'stamp-1' } });
  });

  test('between lead and boundary says the old cell, then the new one for the boundary', async () => {
    await moved();
    drop();
    expect(connect(EPOCH_LEAD / 2)).toMatchObject({ place: { cell: HOME, stamp: 'stamp-1' } });
    expect(sent).toEqual([{ type: 'locate', cell: AWAY }]);
  });

  test('after the boundary says the new cell, without the stamp of the old', async () => {
    await moved();
    drop();
    await clock.pass(EPOCH_LEAD);
    expect(connect()).toEqual({ place: { cell: AWAY }, range: NEAR });
  });

  test('after a boundary whose word was lost says the new cell, too', async () => {
    await moved();
    await clock.pass(EPOCH_LEAD);
    drop();
    expect(connect()).toEqual({ place: { cell: AWAY }, range: NEAR });
  });

  test('a move that came up while the link was gone waits for the boundary', async () => {
    await shared();
    drop();
    position.reading = { cell: AWAY };
    await clock.pass(TO_BOUNDARY - 1);
    expect(place.hello()).toMatchObject({ place: { cell: HOME } });
    await clock.pass(1);
    expect(place.hello()).toEqual({ place: { cell: AWAY }, range: NEAR });
  });
});

describe('taking it back', () => {
  test('is said at once, and ranges are unlimited', async () => {
    await shared();
    place.unshare();
    expect(sent).toEqual([{ type: 'locate', cell: null }]);
    expect(location).toEqual({ state: 'not_shared' });
    expect(ranges).toEqual(UNLIMITED);
    unlocated();
    place.ranged(UNLIMITED);
    drop();
    expect(connect()).toEqual({});
    await clock.pass(3 * EPOCH);
    expect(sent).toEqual([]);
    expect(position.reads).toBe(1);
  });

  test('and sharing again waits for the boundary, on the same connection by the server', async () => {
    await shared();
    place.unshare();
    unlocated();
    sent = [];
    position.reading = { cell: AWAY };
    await place.share(NEAR);
    expect(sent).toEqual([{ type: 'locate', cell: AWAY }]);
    located({ shared: false, effective_in_ms: TO_BOUNDARY });
    expect(location).toEqual({ state: 'shared', inForce: false, effectiveAt: TO_BOUNDARY });
    await clock.pass(TO_BOUNDARY);
    // A limited range before the cell is in force would be refused.
    expect(sent).toHaveLength(1);
    located({ stamp: 'stamp-2' });
    expect(sent.slice(1)).toEqual([{ type: 'range', ...NEAR }]);
    expect(location).toEqual({ state: 'shared', inForce: true });
  });

  test('and sharing again waits for the boundary, on a new connection by itself', async () => {
    await shared();
    place.unshare();
    drop();
    position.reading = { cell: AWAY };
    expect(connect(60_000)).toEqual({});
    await place.share(NEAR);
    expect(sent).toEqual([]);
    expect(location).toEqual({ state: 'shared', inForce: false, effectiveAt: 60_000 });
    drop();
    expect(connect(50_000)).toEqual({});
    await clock.pass(49_999);
    expect(sent).toEqual([]);
    await clock.pass(1);
    expect(sent).toEqual([
      { type: 'locate', cell: AWAY },
      { type: 'range', ...NEAR },
    ]);
  });

  test('and again, while the server has not answered, ends as the person wants it', async () => {
    await shared();
    place.unshare();
    await place.share(NEAR);
    unlocated();
    expect(location).toMatchObject({ state: 'shared' });
    located({ effective_in_ms: TO_BOUNDARY });
    expect(location).toMatchObject({ state: 'shared', inForce: false });
  });

  test('a permission that is revoked takes it back, and tells', async () => {
    await shared();
    place.permitted('denied');
    expect(sent).toEqual([{ type: 'locate', cell: null }]);
    expect(location).toEqual({ state: 'denied', lost: 'revoked' });
    expect(ranges).toEqual(UNLIMITED);
    place.permitted('granted');
    expect(location).toEqual({ state: 'not_shared' });
    expect(sent).toHaveLength(1);
    expect(position.reads).toBe(1);
  });

  test('a permission that is reset does the same', async () => {
    await shared();
    place.permitted('prompt');
    expect(sent).toEqual([{ type: 'locate', cell: null }]);
    expect(location).toEqual({ state: 'not_shared', lost: 'revoked' });
  });

  test('so does a refusal at the next reading, where the browser told nothing', async () => {
    await shared();
    position.reading = { fault: 'denied' };
    await clock.pass(TO_BOUNDARY);
    expect(sent).toEqual([{ type: 'locate', cell: null }]);
    expect(location).toEqual({ state: 'denied', lost: 'revoked' });
  });

  test('a log-out forgets the cell', async () => {
    await shared();
    drop();
    place.forget();
    expect(connect()).toEqual({});
    expect(ranges).toEqual(UNLIMITED);
  });
});

describe('ranges', () => {
  test('are sent when the handle rests, once', async () => {
    await shared();
    for (const tx of ['50km', '100km', '250km'] as const) {
      place.setRanges({ ...NEAR, tx });
      await clock.pass(100);
    }
    expect(ranges.tx).toBe('250km');
    expect(sent).toEqual([]);
    await clock.pass(250);
    expect(sent).toEqual([{ type: 'range', tx: '250km', rx: '50km' }]);
  });

  test('that were just set hold for the burst that is pressed now', async () => {
    await shared();
    place.setRanges({ ...NEAR, tx: '10km' });
    place.flush();
    expect(sent).toEqual([{ type: 'range', tx: '10km', rx: '50km' }]);
    await clock.pass(1_000);
    expect(sent).toHaveLength(1);
  });

  test('that came too fast are sent again, and so is a cell that is taken back', async () => {
    await shared();
    place.setRanges(UNLIMITED);
    await clock.pass(250);
    expect(refuse('too_many_messages', { retry_after_ms: 400 })).toBe(true);
    await clock.pass(400);
    expect(sent).toEqual([
      { type: 'range', ...UNLIMITED },
      { type: 'range', ...UNLIMITED },
    ]);
    place.ranged(UNLIMITED);
    place.unshare();
    expect(refuse('too_many_messages')).toBe(true);
    await clock.pass(1_000);
    expect(sent.slice(2)).toMatchObject([
      { type: 'locate', cell: null },
      { type: 'locate', cell: null },
    ]);
    unlocated();
    expect(refuse('too_many_messages')).toBe(false);
  });
});

describe('a refusal', () => {
  test.each(['cell_refused', 'too_many_moves'] as const)(
    '%s of the first cell leaves none, and says why',
    async (code) => {
      connect();
      await place.share(NEAR);
      expect(refuse(code)).toBe(true);
      refuse('location_needed');
      expect(location).toEqual({ state: 'not_shared', lost: code });
      expect(ranges).toEqual(UNLIMITED);
      expect(sent).toHaveLength(2);
    },
  );

  test.each([
    ['located first', [unlocated, () => refuse('too_many_moves')]],
    ['the code first', [() => refuse('too_many_moves'), unlocated]],
  ])('of the cell in hello leaves none, %s', async (_, answers) => {
    await shared();
    drop();
    connect();
    for (const answer of answers) answer();
    expect(location).toEqual({ state: 'not_shared', lost: 'too_many_moves' });
    expect(sent).toEqual([]);
    drop();
    expect(connect()).toEqual({});
  });

  test('of a move keeps the cell that is in force', async () => {
    await moved();
    expect(refuse('too_many_moves')).toBe(false);
    expect(location).toEqual({ state: 'shared', inForce: true, country: 'RS' });
    await clock.pass(EPOCH_LEAD);
    drop();
    expect(connect()).toMatchObject({ place: { cell: HOME, stamp: 'stamp-1' }, range: NEAR });
  });

  test('location_needed where we knew of a cell takes it back', async () => {
    await shared();
    place.setRanges({ ...NEAR, tx: '10km' });
    await clock.pass(250);
    expect(refuse('location_needed')).toBe(true);
    expect(location).toEqual({ state: 'not_shared', lost: 'location_needed' });
    expect(sent.at(-1)).toEqual({ type: 'locate', cell: null });
  });

  test('of something else is not its business', async () => {
    await shared();
    expect(refuse('channel_full', { channel: '19' })).toBe(false);
    expect(refuse('too_many_messages', { channel: '19' })).toBe(false);
  });
});

test('nothing of a cell is in what the interface sees', async () => {
  await moved();
  expect(JSON.stringify({ location, ranges })).not.toMatch(/86[0-9a-f]{13}/);
});
