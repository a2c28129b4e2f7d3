import { beforeEach, describe, expect, test, vi } from 'vitest';
import { EPOCH, EPOCH_LEAD } from '../gen/limits';
import type { Place } from './place';
import { UNLIMITED } from './range';
import type { VirtualClock } from './testing/clock';
import { AWAY, HOME, NEAR, PlaceWorld, TO_BOUNDARY } from './testing/placeWorld';
import type { ScriptedPosition } from './testing/position';
import { READ_AHEAD } from './whereabouts';

let world: PlaceWorld;
let clock: VirtualClock;
let position: ScriptedPosition;
let place: Place;

beforeEach(() => {
  world = new PlaceWorld();
  ({ clock, position, place } = world);
});

describe('epochs', () => {
  test('a move is read once an epoch and said 10 s before the boundary, never else', async () => {
    await world.shared();
    position.reading = { cell: AWAY };
    await clock.pass(TO_BOUNDARY - EPOCH_LEAD - READ_AHEAD - 1);
    expect(position.reads).toBe(1);
    await clock.pass(1);
    expect(position.reads).toBe(2);
    await clock.pass(READ_AHEAD - 1);
    expect(world.sent).toEqual([]);
    await clock.pass(1);
    expect(world.sent).toEqual([{ type: 'locate', cell: AWAY }]);
    expect(world.location).toMatchObject({ inForce: true, effectiveAt: TO_BOUNDARY });
  });

  test('staying in the cell says nothing, for hours', async () => {
    await world.shared();
    await clock.pass(8 * EPOCH);
    expect(world.sent).toEqual([]);
    expect(position.reads).toBe(1 + 8);
  });

  test('each later boundary comes 15 minutes after the one before', async () => {
    await world.moved();
    await clock.pass(EPOCH_LEAD);
    world.located({ country: 'RS', stamp: 'stamp-2' });
    expect(world.location).toEqual({ state: 'shared', inForce: true, country: 'RS' });
    position.reading = { cell: HOME };
    await clock.pass(EPOCH - EPOCH_LEAD - 1);
    expect(world.sent).toEqual([]);
    await clock.pass(1);
    expect(world.sent).toEqual([{ type: 'locate', cell: HOME }]);
  });

  test('a jump of the wall clock does nothing', async () => {
    await world.shared();
    position.reading = { cell: AWAY };
    const wall = vi.spyOn(Date, 'now').mockReturnValue(0);
    await clock.pass(TO_BOUNDARY - EPOCH_LEAD - 1);
    wall.mockReturnValue(Number.MAX_SAFE_INTEGER);
    expect(world.sent).toEqual([]);
    await clock.pass(1);
    expect(world.sent).toEqual([{ type: 'locate', cell: AWAY }]);
    wall.mockRestore();
  });

  test('a connection just before the boundary does not hurry a reading', async () => {
    await place.share(NEAR);
    world.connect(EPOCH_LEAD / 2);
    world.located({ stamp: 's' });
    await clock.pass(EPOCH_LEAD / 2);
    expect(position.reads).toBe(1);
    await clock.pass(EPOCH - EPOCH_LEAD);
    expect(position.reads).toBe(2);
  });

  test('a reading that comes too late for its boundary is dropped', async () => {
    await world.shared();
    position.reading = { cell: AWAY };
    position.held = true;
    await clock.pass(TO_BOUNDARY + 1);
    position.release();
    await clock.pass(EPOCH / 2);
    expect(world.sent).toEqual([]);
  });

  test('a reading that finds nothing leaves the cell', async () => {
    await world.shared();
    position.reading = { fault: 'unavailable' };
    await clock.pass(EPOCH);
    expect(world.sent).toEqual([]);
    expect(world.location).toMatchObject({ state: 'shared', inForce: true });
  });

  test('nobody is asked a second time: no reading where the browser would prompt', async () => {
    await world.shared();
    position.allowed = 'prompt';
    await clock.pass(4 * EPOCH);
    expect(position.reads).toBe(1);
    expect(world.location).toMatchObject({ state: 'shared' });
  });
});

describe('a reconnect', () => {
  test('repeats cell, stamp and ranges', async () => {
    await world.shared();
    for (let i = 0; i < 5; i += 1) {
      world.drop();
      position.reading = { cell: AWAY };
      expect(world.connect(60_000)).toEqual({
        place: { cell: HOME, stamp: 'stamp-1' },
        range: NEAR,
      });
      expect(world.sent).toEqual([]);
    }
    expect(position.reads).toBe(1);
  });

  test('still knows the stamp after an answer that brings none', async () => {
    await world.shared();
    world.located({ country: 'RS' });
    world.drop();
    expect(world.connect()).toMatchObject({ place: { cell: HOME, stamp: 'stamp-1' } });
  });

  test('between lead and boundary says the old cell, then the new one for the boundary', async () => {
    await world.moved();
    world.drop();
    expect(world.connect(EPOCH_LEAD / 2)).toMatchObject({
      place: { cell: HOME, stamp: 'stamp-1' },
    });
    expect(world.sent).toEqual([]);
    world.located({ country: 'RS', stamp: 'stamp-2' });
    expect(world.sent).toEqual([{ type: 'locate', cell: AWAY }]);
  });

  test('after the boundary says the new cell, without the stamp of the old', async () => {
    await world.moved();
    world.drop();
    await clock.pass(EPOCH_LEAD);
    expect(world.connect()).toEqual({ place: { cell: AWAY }, range: NEAR });
  });

  test('after a boundary whose word was lost says the new cell, too', async () => {
    await world.moved();
    await clock.pass(EPOCH_LEAD);
    world.drop();
    expect(world.connect()).toEqual({ place: { cell: AWAY }, range: NEAR });
  });

  test('after the boundary says the new cell, even where timers slept', async () => {
    await world.moved();
    world.drop();
    clock.sleep(EPOCH_LEAD);
    expect(world.connect()).toEqual({ place: { cell: AWAY }, range: NEAR });
  });

  test('after the word that a move is in force says that cell, with its stamp', async () => {
    await world.moved();
    // The server's clock may be a little ahead.
    world.located({ country: 'RS', stamp: 'stamp-2' });
    world.drop();
    expect(world.connect()).toEqual({ place: { cell: AWAY, stamp: 'stamp-2' }, range: NEAR });
  });

  test('a move that came up while the link was gone waits for the boundary', async () => {
    await world.shared();
    world.drop();
    position.reading = { cell: AWAY };
    await clock.pass(TO_BOUNDARY);
    expect(world.whereabouts.hello()).toEqual({ place: { cell: AWAY }, range: NEAR });
  });
});

describe('taking it back', () => {
  test('is said at once, and the ranges stay as they were chosen', async () => {
    await world.shared();
    place.unshare();
    expect(world.sent).toEqual([{ type: 'locate', cell: null }]);
    expect(world.location).toEqual({ state: 'not_shared' });
    expect(world.ranges).toEqual(NEAR);
    expect(place.way()).toBe('location_needed');
    world.unlocated();
    world.whereabouts.ranged(UNLIMITED);
    world.drop();
    expect(world.connect()).toEqual({});
    await clock.pass(3 * EPOCH);
    expect(world.sent).toEqual([]);
    expect(position.reads).toBe(1);
  });

  test('and sharing again waits for the boundary, on the same connection', async () => {
    await world.shared();
    place.unshare();
    world.unlocated();
    world.sent = [];
    position.reading = { cell: AWAY };
    await place.share(NEAR);
    expect(world.sent).toEqual([]);
    expect(world.location).toEqual({ state: 'shared', inForce: false, effectiveAt: TO_BOUNDARY });
    await clock.pass(TO_BOUNDARY - EPOCH_LEAD);
    expect(world.sent).toEqual([{ type: 'locate', cell: AWAY }]);
    world.located({ shared: false, effective_in_ms: EPOCH_LEAD });
    await clock.pass(EPOCH_LEAD);
    // A limited range before the cell is in force would be refused.
    expect(world.sent).toHaveLength(1);
    world.located({ stamp: 'stamp-2' });
    expect(world.sent.slice(1)).toEqual([{ type: 'range', ...NEAR }]);
    expect(world.location).toEqual({ state: 'shared', inForce: true });
  });

  test('and sharing again waits for the boundary, also on a new connection', async () => {
    await world.shared();
    place.unshare();
    world.drop();
    position.reading = { cell: AWAY };
    expect(world.connect(60_000)).toEqual({});
    await place.share(NEAR);
    expect(world.sent).toEqual([]);
    expect(world.location).toEqual({ state: 'shared', inForce: false, effectiveAt: 60_000 });
    world.drop();
    expect(world.connect(50_000)).toEqual({});
    await clock.pass(39_999);
    expect(world.sent).toEqual([]);
    await clock.pass(1);
    expect(world.sent).toEqual([{ type: 'locate', cell: AWAY }]);
  });

  test('and sharing again in a later epoch is a first cell, when the link is gone', async () => {
    await world.shared();
    place.unshare();
    world.unlocated();
    await clock.pass(TO_BOUNDARY);
    world.drop();
    position.reading = { cell: AWAY };
    await place.share(NEAR);
    expect(world.connect()).toEqual({ place: { cell: AWAY }, range: NEAR });
  });

  test('and again, while the server has not answered, ends as the person wants it', async () => {
    await world.shared();
    place.unshare();
    await place.share(NEAR);
    world.unlocated();
    expect(world.location).toMatchObject({ state: 'shared' });
    expect(world.location).toMatchObject({ state: 'shared', inForce: false });
  });

  test('a permission that is revoked takes it back, and tells', async () => {
    await world.shared();
    place.permitted('denied');
    expect(world.sent).toEqual([{ type: 'locate', cell: null }]);
    expect(world.location).toEqual({ state: 'denied', lost: 'revoked' });
    expect(world.ranges).toEqual(NEAR);
    expect(place.way()).toBe('location_needed');
    place.permitted('granted');
    expect(world.location).toEqual({ state: 'not_shared' });
    expect(world.sent).toHaveLength(1);
    expect(position.reads).toBe(1);
  });

  test('a permission that is reset does the same', async () => {
    await world.shared();
    place.permitted('prompt');
    expect(world.sent).toEqual([{ type: 'locate', cell: null }]);
    expect(world.location).toEqual({ state: 'not_shared', lost: 'revoked' });
  });

  test('so does a refusal at the next reading, where the browser told nothing', async () => {
    await world.shared();
    position.reading = { fault: 'denied' };
    await clock.pass(TO_BOUNDARY);
    expect(world.sent).toEqual([{ type: 'locate', cell: null }]);
    expect(world.location).toEqual({ state: 'denied', lost: 'revoked' });
  });

  test('a log-out forgets the cell', async () => {
    await world.shared();
    world.drop();
    place.forget();
    expect(world.connect()).toEqual({});
    expect(world.ranges).toEqual(NEAR);
  });
});
