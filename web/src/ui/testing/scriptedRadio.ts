/** A radio for tests of the interface: its state is set by the test, its calls are written down. */

import type { Held } from '../../gen/Held';
import type { Participant } from '../../gen/Participant';
import type { Ranges } from '../../gen/Ranges';
import type { KeyFault } from '../../radio/keyFault';
import type { Account, Burst, Radio, RadioEvent, RadioState, Tuned } from '../../radio/model';
import { UNLIMITED } from '../../radio/range';
import type { Refusal } from '../../radio/refusal';

export type Call = [name: string, ...rest: unknown[]];

export class ScriptedRadio implements Radio {
  readonly calls: Call[] = [];
  /** What `register` does. */
  registering: (handle: string, description?: string) => Promise<void> = async () => {};
  /** What the server refuses an act on the account with; it takes them while this is null. */
  refusal: Refusal | null = null;
  /** What is wrong with a key or its file. */
  fault: KeyFault | null = null;
  /** Whether the server knows the key of a file. */
  knowsKey = true;
  readonly account: Account = {
    change: (profile) => this.#account('change', profile),
    held: async () => {
      await this.#account('held');
      return held;
    },
    exportKey: async (passphrase) => {
      await this.#account('exportKey', passphrase);
      if (this.fault) throw this.fault;
      return '{}';
    },
    importKey: async (file, passphrase) => {
      await this.#account('importKey', file, passphrase);
      if (this.fault) throw this.fault;
      return this.knowsKey;
    },
    contact: (text) => this.#account('contact', text),
    logOutEverywhere: () => this.#account('logOutEverywhere'),
    erase: () => this.#account('erase'),
  };
  #state: RadioState;
  readonly #watchers = new Set<(state: RadioState) => void>();
  readonly #listeners = new Set<(event: RadioEvent) => void>();

  constructor(state: Partial<RadioState> = {}) {
    this.#state = { ...idle(), ...state };
  }

  get state(): RadioState {
    return this.#state;
  }

  set(change: Partial<RadioState>): void {
    this.#state = { ...this.#state, ...change };
    for (const run of this.#watchers) run(this.#state);
  }

  emit(event: RadioEvent): void {
    for (const run of this.#listeners) run(event);
  }

  /** Names of the calls, in order. */
  get named(): string[] {
    return this.calls.map(([name]) => name);
  }

  subscribe(run: (state: RadioState) => void): () => void {
    this.#watchers.add(run);
    run(this.#state);
    return () => this.#watchers.delete(run);
  }

  on(run: (event: RadioEvent) => void): () => void {
    this.#listeners.add(run);
    return () => this.#listeners.delete(run);
  }

  async start(): Promise<void> {
    this.calls.push(['start']);
  }

  register(handle: string, description?: string): Promise<void> {
    this.calls.push(['register', handle, description]);
    return this.registering(handle, description);
  }

  async logOut(): Promise<void> {
    this.calls.push(['logOut']);
  }

  async #account(...call: Call): Promise<void> {
    this.calls.push(call);
    if (this.refusal) throw this.refusal;
  }

  select(channel: string): void {
    this.calls.push(['select', channel]);
    this.set({ channel });
  }

  scan(channel: string, on: boolean): void {
    this.calls.push(['scan', channel, on]);
  }

  page(channel: string, page: number): void {
    this.calls.push(['page', channel, page]);
  }

  async loadChannels(): Promise<void> {
    this.calls.push(['loadChannels']);
  }

  mute(participant: number, muted: boolean): void {
    this.calls.push(['mute', participant, muted]);
  }

  press(): void {
    this.calls.push(['press']);
  }

  release(): void {
    this.calls.push(['release']);
  }

  sayAgain(key: string): void {
    this.calls.push(['sayAgain', key]);
  }

  unlockSound(): void {
    this.calls.push(['unlockSound']);
  }

  shareLocation(ranges: Ranges): void {
    this.calls.push(['shareLocation', ranges]);
  }

  restoreLocation(): void {
    this.calls.push(['restoreLocation']);
  }

  unshareLocation(): void {
    this.calls.push(['unshareLocation']);
  }

  setRanges(ranges: Ranges): void {
    this.calls.push(['setRanges', ranges]);
    this.set({ ranges });
  }

  setLowData(on: boolean): void {
    this.calls.push(['setLowData', on]);
  }

  retry(): void {
    this.calls.push(['retry']);
  }
}

export const me: Participant = { id: 1, handle: 'Papa Tango', tag: 'p3ax', country: 'SI' };
export const held: Held = {
  user: `${me.tag}00000000000000000000000000000`,
  tag: me.tag,
  handle: me.handle,
  key: 'AAAA',
  created: '2026-11-23',
  sessions: [{ token_hash: 'AAAA', used: '2026-11-23', this: true }],
};
export const heron: Participant = {
  id: 2,
  handle: 'Blue Heron',
  tag: '2mqd',
  country: 'HR',
  description: 'sailing, listening mostly',
};
export const roadrunner: Participant = {
  id: 3,
  handle: 'Roadrunner',
  tag: 'k7f2',
  country: 'RS',
  description: 'night shift',
};
export const oak: Participant = {
  id: 4,
  handle: 'Oak',
  tag: 'x9rt',
  country: 'SI',
  description: 'truck, Koper to Graz',
};
export const fox: Participant = { id: 5, handle: 'Silver Fox', tag: 'a81c' };

/** On the air, nobody has talked. */
export function idle(): RadioState {
  return {
    me: { user: `${me.tag}00000000000000000000000000000`, tag: me.tag, handle: me.handle },
    self: me.id,
    host: 'radio.example',
    link: { state: 'on_the_air' },
    queued: null,
    microphone: 'unasked',
    button: { state: 'ready' },
    channel: '19',
    tuned: { '19': tunedTo('19', [me, heron, roadrunner, oak, fox], 'Calling') },
    channels: [],
    recent: ['19'],
    air: [],
    muted: [],
    known: new Map(),
    location: { state: 'not_shared' },
    ranges: UNLIMITED,
    soundBlocked: false,
    trouble: null,
    notice: null,
  };
}

export function tunedTo(channel: string, participants: Participant[], label?: string): Tuned {
  const sorted = participants.toSorted((a, b) => a.handle.localeCompare(b.handle));
  const tuned: Tuned = { channel, count: sorted.length, participants: sorted, page: 0, pages: 1 };
  return label === undefined ? tuned : { ...tuned, label };
}

let made = 0;

/** A burst of `seconds` that was heard, with a curve like speech. */
export function burst(talker: Participant, seconds: number, change: Partial<Burst> = {}): Burst {
  made += 1;
  return {
    key: `burst ${made}`,
    channel: '19',
    talker,
    own: false,
    state: 'played',
    length: seconds * 1000,
    levels: Array.from({ length: Math.min(100, seconds * 10) }, (_, i) => speech(i + made * 17)),
    gaps: 0,
    ended: 'released',
    replayable: true,
    ...change,
  };
}

/** Syllables of 300 ms in words of about a second. */
function speech(step: number): number {
  const word = Math.sin(step / 4.1) > -0.5 ? 1 : 0.02;
  return word * (0.12 + 0.5 * Math.sin(step * 1.9) ** 2 * Math.sin(step / 7.3) ** 2);
}
