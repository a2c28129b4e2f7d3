import { beforeEach, describe, expect, test } from 'vitest';
import type { Place } from './place';
import { EPOCH, EPOCH_LEAD } from './place';
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
    place.hello();
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
    ['unavailable', { state: 'not_shared', lost: 'unavailable' }],
    ['unsupported', { state: 'unsupported' }],
  ] as const)('that is %s leaves everything unlimited', async (fault, state) => {
    world.connect();
    position.reading = { fault };
    await place.share(NEAR);
    expect(world.location).toEqual(state);
    expect(world.ranges).toEqual(UNLIMITED);
    place.setRanges(NEAR);
    await clock.pass(2 * EPOCH);
    expect(world.sent).toEqual([]);
    expect(position.reads).toBe(1);
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
      await place.restore(NEAR);
      expect(position.reads).toBe(0);
      expect(world.connect()).toEqual({});
    },
  );

  test('a permission that stands is used without asking', async () => {
    await place.restore(NEAR);
    expect(world.connect()).toEqual({ place: { cell: HOME }, range: NEAR });
  });
});

describe('ranges', () => {
  test('are world.sent when the handle rests, once', async () => {
    await world.shared();
    for (const tx of ['50km', '100km', '250km'] as const) {
      place.setRanges({ ...NEAR, tx });
      await clock.pass(100);
    }
    expect(world.ranges.tx).toBe('250km');
    expect(world.sent).toEqual([]);
    await clock.pass(250);
    expect(world.sent).toEqual([{ type: 'range', tx: '250km', rx: '50km' }]);
  });

  test('that were just set hold for the burst that is pressed now', async () => {
    await world.shared();
    place.setRanges({ ...NEAR, tx: '10km' });
    place.flush();
    expect(world.sent).toEqual([{ type: 'range', tx: '10km', rx: '50km' }]);
    await clock.pass(1_000);
    expect(world.sent).toHaveLength(1);
  });

  test('that came too fast are world.sent again, and so is a cell that is taken back', async () => {
    await world.shared();
    place.setRanges(UNLIMITED);
    await clock.pass(250);
    expect(world.refuse('too_many_messages', { retry_after_ms: 400 })).toBe(true);
    await clock.pass(400);
    expect(world.sent).toEqual([
      { type: 'range', ...UNLIMITED },
      { type: 'range', ...UNLIMITED },
    ]);
    place.ranged(UNLIMITED);
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
    '%s of the first cell leaves none, and says why',
    async (code) => {
      world.connect();
      await place.share(NEAR);
      expect(world.refuse(code)).toBe(true);
      world.refuse('location_needed');
      expect(world.location).toEqual({ state: 'not_shared', lost: code });
      expect(world.ranges).toEqual(UNLIMITED);
      expect(world.sent).toHaveLength(2);
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
    expect(world.location).toEqual({ state: 'not_shared', lost: 'too_many_moves' });
    expect(world.sent).toEqual([]);
    world.drop();
    expect(world.connect()).toEqual({});
  });

  test('of a move keeps the cell that is in force', async () => {
    await world.moved();
    expect(world.refuse('too_many_moves')).toBe(false);
    expect(world.location).toEqual({ state: 'shared', inForce: true, country: 'RS' });
    await clock.pass(EPOCH_LEAD);
    world.drop();
    expect(world.connect()).toMatchObject({ place: { cell: HOME, stamp: 'stamp-1' }, range: NEAR });
  });

  test('of a cell that was shared again: the next one is as late as the server says', async () => {
    await world.shared();
    place.unshare();
    world.unlocated();
    await place.share(NEAR);
    expect(world.refuse('too_many_moves')).toBe(true);
    await clock.pass(TO_BOUNDARY);
    world.sent = [];
    await place.share(NEAR);
    world.located({ shared: false, effective_in_ms: EPOCH });
    expect(world.refuse('location_needed')).toBe(true);
    expect(world.location).toMatchObject({ state: 'shared', inForce: false });
    world.located({ stamp: 'stamp-2' });
    expect(world.sent.map(({ type }) => type)).toEqual(['locate', 'range', 'range']);
    expect(world.location).toEqual({ state: 'shared', inForce: true });
  });

  test('location_needed where we knew of a cell takes it back', async () => {
    await world.shared();
    place.setRanges({ ...NEAR, tx: '10km' });
    await clock.pass(250);
    expect(world.refuse('location_needed')).toBe(true);
    expect(world.location).toEqual({ state: 'not_shared', lost: 'location_needed' });
    expect(world.sent.at(-1)).toEqual({ type: 'locate', cell: null });
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
