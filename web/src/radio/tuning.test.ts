import { beforeEach, describe, expect, test } from 'vitest';
import type { ClientMessage } from '../gen/ClientMessage';
import type { Participant } from '../gen/Participant';
import type { Welcome } from './link';
import type { Refusal } from './refusal';
import { Store } from './store';
import { Tuning } from './tuning';

let store: Store;
let tuning: Tuning;
let sent: ClientMessage[];
let left: string[];
let timers: [number, () => void][];

const person = (id: number, handle: string): Participant => ({ id, handle, tag: 'aaaa' });
const answer = (channel: string, participants: Participant[] = [], pages = 1) =>
  tuning.message({ type: 'tuned', channel, count: participants.length, participants, pages });
const LIMITS = {
  talk_ms: 60_000,
  courtesy_ms: 8_000,
  rest_ms: 3_000,
  speech_ms: 300_000,
  speech_window_ms: 600_000,
  busy: 3,
  bursts: 2,
  connections: 8,
  channels: 8,
  channels_in_all: 16,
};

const welcome = (change: Partial<Welcome> = {}) =>
  tuning.welcomed({
    type: 'welcome',
    you: person(1, 'Me'),
    resume: 'token',
    resumed: false,
    tuned: [],
    hold_ms: 10_000,
    talk_limit_ms: 60_000,
    limits: LIMITS,
    epoch_in_ms: 412_000,
    host: 'Tenfour',
    server: 'tenfour 0.1.0',
    ...change,
  });

beforeEach(() => {
  [sent, left, timers] = [[], [], []];
  store = new Store('Tenfour', '19');
  tuning = new Tuning({
    store,
    send: (message) => sent.push(message) > 0,
    clock: {
      now: () => 0,
      after: (ms, run) => {
        timers.push([ms, run]);
        return () => {};
      },
    },
    left: (channel) => left.push(channel),
  });
  welcome();
  answer('19', [person(2, 'Željko'), person(1, 'adam'), person(3, 'Bea')]);
  sent.length = 0;
});

describe('tuning', () => {
  test('shows people by handle, and who comes and goes', () => {
    const handles = () => store.state.tuned['19']?.participants.map(({ handle }) => handle);
    expect(handles()).toEqual(['adam', 'Bea', 'Željko']);
    const joined = [person(4, 'Carl')];
    tuning.message({ type: 'presence', channel: '19', count: 3, joined, left: [2] });
    expect(handles()).toEqual(['adam', 'Bea', 'Carl']);
    expect(store.state.tuned['19']?.count).toBe(3);
  });

  test('shows the country that somebody is in now, and nobody who has left', () => {
    const changed = [
      { ...person(2, 'Željko'), country: 'HR' },
      { ...person(9, 'Gone'), country: 'SI' },
    ];
    tuning.message({ type: 'presence', channel: '19', count: 3, joined: [], left: [], changed });
    const seen = store.state.tuned['19']?.participants.map(({ id, country }) => [id, country]);
    expect(seen).toEqual([
      [1, undefined],
      [3, undefined],
      [2, 'HR'],
    ]);
  });

  test('sends a tune again that came too fast, unless one went on', () => {
    const refusal = (channel: string): Refusal => ({
      code: 'too_many_messages',
      retry_after_ms: 200,
      channel,
    });
    tuning.select('20');
    expect(tuning.refused(refusal('20'))).toBe(true);
    sent.length = 0;
    timers[0]?.[1]();
    expect(timers[0]?.[0]).toBe(200);
    expect(sent).toEqual([{ type: 'tune', channel: '20' }]);
    tuning.select('21');
    expect(tuning.refused(refusal('20'))).toBe(false);
  });

  test('leaves the old channel and takes the new one', () => {
    tuning.select('20');
    expect(sent).toEqual([
      { type: 'untune', channel: '19' },
      { type: 'tune', channel: '20' },
    ]);
    expect(left).toEqual(['19']);
    answer('20');
    expect(Object.keys(store.state.tuned)).toEqual(['20']);
    expect(store.state.recent).toEqual(['20']);
  });

  test('does not leave a channel that it was refused', () => {
    tuning.select('20');
    sent.length = 0;
    tuning.select('21');
    expect(sent).toEqual([{ type: 'tune', channel: '21' }]);
  });

  test('leaves a channel whose answer comes too late', () => {
    tuning.select('20');
    tuning.select('21');
    sent.length = 0;
    answer('20');
    expect(sent).toEqual([{ type: 'untune', channel: '20' }]);
    expect(store.state.tuned['20']).toBeUndefined();
  });

  test('keeps a scanned channel when the button moves on', () => {
    tuning.scan('19', true);
    tuning.select('20');
    expect(sent).toEqual([{ type: 'tune', channel: '20' }]);
    tuning.scan('19', false);
    expect(sent.at(-1)).toEqual({ type: 'untune', channel: '19' });
  });

  test('tunes again after a new session, from the oldest held frame, and forgets mutes', () => {
    tuning.mute(2, true);
    expect(store.state.muted).toEqual([2]);
    welcome();
    expect(store.state.tuned).toEqual({});
    expect(store.state.muted).toEqual([]);
    expect(sent.at(-1)).toEqual({ type: 'tune', channel: '19', catch_up: true });
  });

  test('leaves what a resumed session has tuned and nobody wants', () => {
    welcome({ resumed: true, tuned: ['19', '7'] });
    expect(sent).toEqual([{ type: 'untune', channel: '7' }]);
    expect(store.state.tuned['19']).toBeDefined();
  });
});
