import { describe, expect, test } from 'vitest';
import type { ClientMessage } from '../gen/ClientMessage';
import type { Ranges } from '../gen/Ranges';
import type { ServerMessage } from '../gen/ServerMessage';
import { UNLIMITED } from './range';
import { Store } from './store';
import { settle, VirtualClock } from './testing/clock';
import { ScriptedPosition } from './testing/position';
import { vectors } from './testing/vectors';
import { Transceiver } from './transceiver';

interface Vector {
  name: string;
  direction: 'up' | 'down';
  json: Record<string, unknown>;
  invalid?: string;
}

const { messages } = vectors<{ messages: Vector[] }>('messages.json');
const up = messages.filter(({ direction, invalid }) => direction === 'up' && !invalid);
const down = messages.filter(({ direction }) => direction === 'down');

/** A transceiver over a socket that the test holds. */
function radio(economy: boolean) {
  const clock = new VirtualClock();
  const sent: ClientMessage[] = [];
  const store = new Store('Tenfour', '19');
  const quiet = () => {};
  let receive = (_: ServerMessage): void => {};
  const set = new Transceiver({
    store,
    clock,
    random: () => 0,
    open: ({ opened, text }) => {
      queueMicrotask(opened);
      receive = (message) => text(JSON.stringify(message));
      return { send: (data) => sent.push(JSON.parse(String(data))), close: quiet };
    },
    client: 'tenfour-web 0.1.0',
    device: () => ({ platform: 'Android', model: 'Pixel 8', version: 'tenfour-web 0.1.0' }),
    probe: async () => null,
    position: () => new ScriptedPosition(),
    kept: { read: () => ({ waits: false }), write: quiet, takenBack: quiet, forget: quiet },
    source: { ready: true, hang: 0, open: async () => {}, begin: quiet, finish: async () => {} },
    player: { begin: quiet, packet: quiet, end: quiet, stop: quiet },
    linked: quiet,
  });
  set.setLowData(economy);
  return { ...set, clock, store, sent, receive: (message: ServerMessage) => receive(message) };
}

const told = (type: string) => down.find(({ json }) => json.type === type)?.json as ServerMessage;

async function onTheAir(economy = true, ranges?: Ranges) {
  const made = radio(economy);
  if (ranges) await made.place.share(ranges);
  made.link.start();
  await Promise.resolve();
  made.receive(down[0]?.json as ServerMessage);
  return made;
}

describe('messages of the vectors', () => {
  test.each(down)('$name is taken', async ({ json }) => {
    const { receive, store } = await onTheAir();
    receive(json as ServerMessage);
    expect(store.state.link.state).toBe('on_the_air');
  });

  test('the state is what they tell', async () => {
    const { receive, store } = await onTheAir();
    for (const { json } of down) {
      if (json.type !== 'untuned' && json.type !== 'going_away') receive(json as ServerMessage);
    }
    expect(store.state.tuned['19']).toMatchObject({
      label: 'Calling',
      page: 8,
      pages: 9,
      count: 2,
      participants: [{ id: 13, country: 'HR' }],
    });
    expect(store.state.air[0]).toMatchObject({ channel: '19', gaps: 15 + 126, ended: 'released' });
    expect(store.state.air[1]).toMatchObject({ channel: '19', grade: 5 });
    receive({ type: 'untuned', channel: '19' });
    expect(store.state.tuned['19']).toBeUndefined();
  });

  test('what this page sends has the fields of a vector and no others', async () => {
    const { tuning, talk, place, clock, link, sent, receive } = await onTheAir();
    receive(told('tuned'));
    tuning.select('road-66');
    tuning.scan('9', true);
    tuning.scan('9', false);
    tuning.page('19', 1);
    tuning.mute(4, true);
    talk.press();
    talk.release();
    await place.share(UNLIMITED);
    receive(told('located'));
    place.whereabouts.ranges = { tx: '10km', rx: '1000km' };
    await clock.pass(1_000);
    place.unshare();
    link.nudge();
    link.renew();
    await settle();
    const near = await onTheAir(false, { tx: '25km', rx: 'unlimited' });
    const far = await onTheAir(false, UNLIMITED);
    for (const message of [...sent, ...near.sent, ...far.sent]) {
      const fits = up.some(({ json }) => shape(json) === shape(message));
      expect(fits || shape(message), JSON.stringify(message)).toBe(true);
    }
    const types = new Set(sent.map(({ type }) => type));
    const all = ['hello', 'tune', 'untune', 'participants', 'mute', 'ping', 'burst.start'];
    all.push('burst.end', 'locate', 'range');
    expect([...types].sort()).toEqual(all.sort());
  });
});

/** Type, names of the fields and their types. */
function shape(message: object): string {
  const fields = Object.entries(message).map(([name, value]) =>
    name === 'type' ? `type=${value}` : `${name}:${typeof value}`,
  );
  return fields.sort().join(' ');
}
