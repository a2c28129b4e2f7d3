import { beforeEach, describe, expect, test } from 'vitest';
import { EPOCH, EPOCH_LEAD } from '../gen/limits';
import type { Place } from './place';
import { UNLIMITED } from './range';
import type { VirtualClock } from './testing/clock';
import { settle } from './testing/clock';
import { HOME, NEAR, PlaceWorld, TO_BOUNDARY } from './testing/placeWorld';
import type { ScriptedPosition } from './testing/position';

let world: PlaceWorld;
let clock: VirtualClock;
let position: ScriptedPosition;
let place: Place;

beforeEach(() => {
  world = new PlaceWorld();
  ({ clock, position, place } = world);
});

describe('a first location', () => {
  test('is not looked for until somebody shares it', async () => {
    expect(world.connect()).toEqual({});
    await clock.pass(2 * EPOCH);
    expect(position.reads).toBe(0);
    expect(world.sent).toEqual([]);
  });

  test('is said at once, then the ranges', async () => {
    world.connect();
    position.held = true;
    const sharing = place.share(NEAR);
    expect(world.location).toEqual({ state: 'asking' });
    position.release();
    await sharing;
    expect(world.sent).toEqual([
      { type: 'locate', cell: HOME },
      { type: 'range', ...NEAR },
    ]);
    world.located({ country: 'RS', stamp: 's' });
    expect(world.location).toEqual({ state: 'shared', inForce: true, country: 'RS' });
    expect(world.ranges).toEqual(NEAR);
  });

  test('found before the link is up goes with hello', async () => {
    await place.share(NEAR);
    expect(world.connect()).toEqual({ place: { cell: HOME }, range: NEAR });
    expect(world.sent).toEqual([]);
  });

  test('found between hello and welcome is said after it', async () => {
    world.whereabouts.hello();
    await place.share({ ...UNLIMITED, rx: '10km' });
    world.welcome();
    expect(world.sent.map(({ type }) => type)).toEqual(['locate', 'range']);
  });

  test('unlimited ranges are not worth a message', async () => {
    world.connect();
    await place.share(UNLIMITED);
    expect(world.sent).toEqual([{ type: 'locate', cell: HOME }]);
  });

  test.each([
    ['denied', { state: 'denied' }],
    ['dismissed', { state: 'not_shared' }],
    ['unsupported', { state: 'unsupported' }],
  ] as const)('that is %s leaves the range as it was', async (fault, state) => {
    world.connect();
    position.reading = { fault };
    await place.share(NEAR);
    expect(world.location).toEqual(state);
    expect(world.ranges).toEqual(UNLIMITED);
    expect(place.way()).toBe('open');
    await clock.pass(2 * EPOCH);
    expect(world.sent).toEqual([]);
    expect(position.reads).toBe(1);
  });

  test('that cannot be found leaves the range that was chosen, and nobody talks', async () => {
    world.connect();
    position.reading = { fault: 'unavailable' };
    const sharing = place.share(NEAR);
    expect(place.way()).toBe('wait');
    await sharing;
    expect(world.location).toEqual({ state: 'not_shared', lost: 'unavailable' });
    expect(world.ranges).toEqual(NEAR);
    expect(place.way()).toBe('location_needed');
    await clock.pass(2 * EPOCH);
    expect(world.sent).toEqual([]);
  });

  test('taken back while the browser still asks is not said', async () => {
    world.connect();
    position.held = true;
    const sharing = place.share(NEAR);
    place.unshare();
    position.release();
    await sharing;
    expect(world.sent).toEqual([]);
    expect(world.location).toEqual({ state: 'not_shared' });
  });

  test('is asked for once, however often the range is touched meanwhile', async () => {
    world.connect();
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
      await place.restore();
      expect(position.reads).toBe(0);
      expect(world.connect()).toEqual({});
    },
  );

  test('a permission that stands is used without asking', async () => {
    world.whereabouts.ranges = NEAR;
    await place.restore();
    expect(world.connect()).toEqual({ place: { cell: HOME }, range: NEAR });
  });
});

describe('ranges', () => {
  test('are world.sent when the handle rests, once', async () => {
    await world.shared();
    for (const tx of ['50km', '100km', '250km'] as const) {
      world.whereabouts.ranges = { ...NEAR, tx };
      await clock.pass(100);
    }
    expect(world.ranges.tx).toBe('250km');
    expect(world.sent).toEqual([]);
    await clock.pass(250);
    expect(world.sent).toEqual([{ type: 'range', tx: '250km', rx: '50km' }]);
  });

  test('that were just set hold for the burst that is pressed now', async () => {
    await world.shared();
    world.whereabouts.ranges = { ...NEAR, tx: '10km' };
    world.whereabouts.flush();
    expect(world.sent).toEqual([{ type: 'range', tx: '10km', rx: '50km' }]);
    await clock.pass(1_000);
    expect(world.sent).toHaveLength(1);
  });

  test('that came too fast are world.sent again, and so is a cell that is taken back', async () => {
    await world.shared();
    world.whereabouts.ranges = UNLIMITED;
    await clock.pass(250);
    expect(world.refuse('too_many_messages', { retry_after_ms: 400 })).toBe(true);
    await clock.pass(400);
    expect(world.sent).toEqual([
      { type: 'range', ...UNLIMITED },
      { type: 'range', ...UNLIMITED },
    ]);
    world.whereabouts.ranged(UNLIMITED);
    place.unshare();
    expect(world.refuse('too_many_messages')).toBe(true);
    await clock.pass(1_000);
    expect(world.sent.slice(2)).toMatchObject([
      { type: 'locate', cell: null },
      { type: 'locate', cell: null },
    ]);
    world.unlocated();
    expect(world.refuse('too_many_messages')).toBe(false);
  });
});

describe('a refusal', () => {
  test.each(['cell_refused', 'too_many_moves'] as const)(
    '%s of the first cell leaves none, says why, and is tried again at the boundary',
    async (code) => {
      world.connect();
      await place.share(NEAR);
      expect(world.refuse(code)).toBe(true);
      world.refuse('location_needed');
      const waits = { state: 'shared', inForce: false, effectiveAt: TO_BOUNDARY };
      expect(world.location).toEqual({ ...waits, lost: code });
      expect(world.ranges).toEqual(NEAR);
      expect(place.way()).toBe(code);
      expect(world.sent.splice(0)).toHaveLength(2);
      await clock.pass(TO_BOUNDARY - EPOCH_LEAD);
      expect(world.sent.map(({ type }) => type)).toEqual(['locate', 'range']);
    },
  );

  test.each([
    ['located first', [() => world.unlocated(), () => world.refuse('too_many_moves')]],
    ['the code first', [() => world.refuse('too_many_moves'), () => world.unlocated()]],
  ])('of the cell in hello leaves none, %s', async (_, answers) => {
    await world.shared();
    world.drop();
    world.connect();
    for (const answer of answers) answer();
    expect(world.location).toMatchObject({ inForce: false, lost: 'too_many_moves' });
    expect(world.sent).toEqual([]);
    expect(place.way()).toBe('too_many_moves');
  });

  test('of a move keeps the cell that is in force', async () => {
    await world.moved();
    expect(world.refuse('too_many_moves')).toBe(false);
    expect(world.location).toEqual({ state: 'shared', inForce: true, country: 'RS' });
    await clock.pass(EPOCH_LEAD);
    world.drop();
    expect(world.connect()).toMatchObject({ place: { cell: HOME, stamp: 'stamp-1' }, range: NEAR });
  });

  test('location_needed holds presses back', async () => {
    await world.shared();
    world.whereabouts.ranges = { ...NEAR, tx: '10km' };
    await clock.pass(250);
    expect(world.refuse('location_needed')).toBe(true);
    expect(place.way()).toBe('location_needed');
  });

  test('of something else is not its business', async () => {
    await world.shared();
    expect(world.refuse('channel_full', { channel: '19' })).toBe(false);
    expect(world.refuse('too_many_messages', { channel: '19' })).toBe(false);
  });
});

test('nothing of a cell is in what the interface sees', async () => {
  await world.moved();
  expect(JSON.stringify([world.location, world.ranges])).not.toMatch(/86[0-9a-f]{13}/);
});
