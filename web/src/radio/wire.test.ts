import { describe, expect, test } from 'vitest';
import type { ClientMessage } from '../gen/ClientMessage';
import type { Ranges } from '../gen/Ranges';
import type { ServerMessage } from '../gen/ServerMessage';
import { Hear } from './hear';
import { Link } from './link';
import { Memory } from './memory';
import { Place } from './place';
import { UNLIMITED } from './range';
import { Store } from './store';
import { Talk } from './talk';
import { settle, VirtualClock } from './testing/clock';
import { ScriptedPosition } from './testing/position';
import { vectors } from './testing/vectors';
import { Tuning } from './tuning';

interface Vector {
  name: string;
  direction: 'up' | 'down';
  json: Record<string, unknown>;
  invalid?: string;
}

const { messages } = vectors<{ messages: Vector[] }>('messages.json');
const up = messages.filter(({ direction, invalid }) => direction === 'up' && !invalid);
const down = messages.filter(({ direction }) => direction === 'down');

/** Every part of the radio that reads messages, over one socket. */
function radio(economy: boolean) {
  const clock = new VirtualClock();
  const sent: ClientMessage[] = [];
  const store = new Store('Tenfour', '19');
  const memory = new Memory(() => {});
  const quiet = () => {};
  const player = { begin: quiet, packet: quiet, end: quiet, stop: quiet };
  const hear = new Hear(
    store,
    memory,
    player,
    () => 0,
    () => 1,
  );
  let receive = (_: ServerMessage): void => {};
  const link: Link = new Link(
    {
      clock: new VirtualClock(),
      random: () => 0,
      open: ({ opened, text }) => {
        queueMicrotask(opened);
        receive = (message) => text(JSON.stringify(message));
        return { send: (data) => sent.push(JSON.parse(String(data))), close: quiet };
      },
      client: 'tenfour-web 0.1.0',
      economy: () => economy,
      place: () => place.hello(),
      device: () => ({ platform: 'Android', model: 'Pixel 8', version: 'tenfour-web 0.1.0' }),
      heard: () => hear.heard(),
      probe: async () => null,
    },
    {
      changed: (change) => store.set({ link: change }),
      welcomed: (welcome) => {
        tuning.welcomed(welcome);
        place.welcomed(welcome.epoch_in_ms);
      },
      message: (message) => {
        if (message.type === 'burst.started') hear.started(message);
        else if (message.type === 'burst.gap') hear.gap(message);
        else if (message.type === 'burst.ended') hear.ended(message);
        else if (message.type === 'burst.granted') talk.granted(message);
        else if (message.type === 'receipt') talk.receipt(message);
        else if (message.type === 'located') place.located(message);
        else if (message.type === 'ranged') place.ranged(message);
        else if (message.type === 'error') place.refused(message);
        else tuning.message(message);
      },
      voice: quiet,
      lost: () => place.lost(),
    },
  );
  const place: Place = new Place({
    clock,
    position: new ScriptedPosition(),
    send: (message) => link.send(message),
    changed: (location, ranges) => store.set({ location, ranges }),
    ranged: quiet,
  });
  const send = (message: ClientMessage) => link.send(message);
  const tuning = new Tuning({
    store,
    send,
    clock: new VirtualClock(),
    left: (channel) => hear.left(channel),
  });
  const source = { ready: true, open: async () => {}, begin: quiet, finish: async () => {} };
  const talk = new Talk({
    store,
    clock: new VirtualClock(),
    source,
    memory,
    send,
    sendVoice: () => true,
    frameMs: () => 20,
  });
  const parts = { clock, link, tuning, talk, place, store, sent };
  return { ...parts, receive: (message: ServerMessage) => receive(message) };
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
    place.setRanges({ tx: '10km', rx: '1000km' });
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
    all.push('locate', 'range');
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
