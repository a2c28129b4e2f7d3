import type { ClientMessage } from '../../gen/ClientMessage';
import type { Ranges } from '../../gen/Ranges';
import { MS, writeFrame } from '../frame';
import type { KeptPlace } from '../keptPlace';
import type { Socket, SocketEvents } from '../link';
import type { Sink, Source } from '../source';
import { Store } from '../store';
import { Transceiver } from '../transceiver';
import { settle, VirtualClock } from './clock';
import { ScriptedPosition } from './position';
import { Speaker } from './speaker';
import { vectors } from './vectors';

type Message = { type: string; [field: string]: unknown };

/** One file of `vectors/radio`; their form is in the README there. */
export interface Scenario {
  about: string;
  only?: 'page' | 'core';
  begin: { range?: Ranges; place?: string };
  steps: Record<string, unknown>[];
}

/** Fields of messages of the server that a scenario may leave out, by type. */
const DEFAULTS = vectors<Record<string, object>>('radio/defaults.json');

/** Frames of a burst that come: at once, or each after `every` ms; `later` than their number says, in ms. */
interface Frames {
  burst: number;
  from?: number;
  to: number;
  every?: number;
  later?: number;
  /** There is nothing to hear in them. */
  quiet?: boolean;
}

/** Sound in a frame, in ms. */
const FRAME = 20;
const CLOSES: Record<string, number> = {
  'logged out': 4001,
  erased: 4002,
  replaced: 4003,
  displaced: 4004,
};

/** A transceiver on a bench: the scenario is its server, its hand, its device and its clock. */
export class Bench {
  readonly #clock = new VirtualClock();
  readonly #tab = new Tab(this.#clock);
  #position = new ScriptedPosition();
  #microphone = new Microphone();
  #store = new Store('Tenfour', '19');
  #set!: Transceiver;
  #socket: SocketEvents | null = null;
  /** Since they were looked at last. */
  #sent: Message[] = [];
  #voice = 0;
  #outcomes: string[] = [];
  /** Frames that others could hear, of all, where that is not all. */
  #aired: [heard: number, of: number][] = [];
  #ended: { talker: string; missed: number; ended: string }[] = [];
  readonly #told = new Set<string>();
  /** Bursts that were not played, by the order in which they were heard. */
  #missed: number[] = [];
  #speaker!: Speaker;
  /** Asked for, and not open. */
  #asks = false;
  #answers = true;

  constructor(private readonly scenario: Scenario) {
    this.#load(scenario.begin.place !== undefined);
  }

  async play(): Promise<void> {
    const { place } = this.scenario.begin;
    if (place !== undefined && place !== 'looking') this.#found({ cell: place });
    const end = [{ sends: [] }, { voice: 0 }, { outcome: [] }];
    for (const [index, step] of [...this.scenario.steps, ...end].entries()) {
      const [what, value] = Object.entries(step)[0] ?? ['', null];
      await settle();
      try {
        await this.#step(what, value);
      } catch (error) {
        throw new Error(`step ${index + 1}, ${JSON.stringify(step)}: ${error}`);
      }
      await settle();
    }
  }

  /** A page is loaded: what it knows is in its tab, what was chosen in the preferences. */
  #load(shares: boolean, ranges = this.scenario.begin.range): void {
    this.#position = new ScriptedPosition();
    this.#position.held = shares;
    this.#microphone = new Microphone();
    this.#store = new Store('Tenfour', '19');
    // A burst that the server cut is told twice: that it was sent, and why no more of it is.
    let cut = false;
    this.#store.on((event) => {
      if (event.type === 'sent') this.#outcomes.push('aired');
      if (event.type === 'late')
        this.#outcomes.push(event.part.heard > 0 ? 'late aired' : 'late no_voice');
      if ((event.type === 'sent' || event.type === 'late') && event.part) {
        this.#aired.push([event.part.heard / FRAME, event.part.length / FRAME]);
      }
      if (event.type === 'deny' && !cut) this.#outcomes.push(event.refusal.code);
      cut = event.type === 'sent' && event.ended !== 'released';
    });
    this.#store.subscribe(({ air }) => {
      for (const { key, state } of air) {
        if (state !== 'missed' || this.#told.has(`${key} missed`)) continue;
        this.#told.add(`${key} missed`);
        this.#missed.push(Number(key.replace('heard-', '')));
      }
      for (const { key, own, talker, gaps, ended } of air) {
        if (own || !ended || this.#told.has(key)) continue;
        this.#told.add(key);
        this.#ended.push({ talker: talker.handle, missed: gaps, ended });
      }
    });
    this.#speaker = new Speaker((play) => this.#set.hear.finished(play));
    this.#set = new Transceiver({
      store: this.#store,
      clock: this.#clock,
      random: () => 0,
      open: (events) => this.#open(events),
      client: 'bench 1',
      device: () => ({}),
      probe: async () => null,
      position: () => this.#position,
      kept: this.#tab,
      source: this.#microphone,
      player: this.#speaker,
      linked: () => {},
    });
    if (ranges) this.#set.place.whereabouts.ranges = ranges;
    if (shares) void this.#set.place.restore();
    this.#set.link.start();
  }

  #open(events: SocketEvents): Socket {
    this.#socket = events;
    this.#asks = true;
    return {
      send: (data) => {
        if (typeof data !== 'string') {
          this.#voice += 1;
          return;
        }
        const message = JSON.parse(data) as ClientMessage;
        if (message.type !== 'ping') this.#sent.push(message);
        else if (this.#answers) events.text(JSON.stringify({ type: 'pong', n: message.n }));
      },
      close: () => {},
    };
  }

  async #step(what: string, value: unknown): Promise<void> {
    if (what === 'link') this.#link(value as string);
    else if (what === 'server') {
      const message = value as Message;
      this.#socket?.text(JSON.stringify({ ...DEFAULTS[message.type], ...message }));
    } else if (what === 'user') this.#user(value as string | Record<string, Ranges>);
    else if (what === 'device') this.#device(value as string | { cell: string });
    else if (what === 'page')
      this.#load(this.#store.state.location.state === 'shared', this.#store.state.ranges);
    else if (what === 'speak') this.#microphone.speak(value as number);
    else if (what === 'pass') await this.#pass(value as number);
    else if (what === 'silence') await this.#silence(value as number);
    else if (what === 'frames') await this.#frames(value as Frames);
    else if (what === 'plays') this.#plays(value as string | null);
    else if (what === 'heard') same(value, this.#ended.splice(0));
    else if (what === 'aired') same(value, this.#aired.splice(0));
    else if (what === 'missed') same(value, this.#missed.splice(0));
    else if (what === 'remembers') same(value, this.#remembered);
    else if (what === 'people') same(value, this.#store.state.tuned['19']?.count ?? 0);
    else if (what === 'asks') same(value, this.#asks);
    else if (what === 'sends') same(value, this.#sent.splice(0));
    else if (what === 'outcome') same(value, this.#outcomes.splice(0));
    else if (what === 'button') same(value, this.#button);
    else if (what === 'voice') {
      same(value, this.#voice);
      this.#voice = 0;
    } else throw new Error('no step');
  }

  #link(what: string): void {
    if (!this.#socket) throw new Error('no connection is asked for');
    const { opened, closed } = this.#socket;
    this.#asks = false;
    if (what === 'opens') opened();
    else {
      this.#socket = null;
      closed(CLOSES[what] ?? 1006);
    }
  }

  /** The loudspeaker takes what there is, each 20 ms. */
  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; ) {
      const step = this.#speaker.pull(left);
      await this.#clock.pass(step);
      left -= step;
    }
  }

  #plays(wanted: string | null): void {
    const played = this.#speaker.played();
    if (wanted !== null) same(wanted, played);
  }

  /** Nothing comes on the link, and nothing is answered. */
  async #silence(ms: number): Promise<void> {
    this.#answers = false;
    await this.#pass(ms);
    this.#answers = true;
  }

  async #frames({ burst, from = 0, to, every = 0, later = 0, quiet }: Frames): Promise<void> {
    for (let seq = from; seq < to; seq += 1) {
      const payload = new Uint8Array(quiet ? 2 : 40).fill(seq);
      const mediaTime = (seq * FRAME + later) * MS;
      const frame = { burst, seq, mediaTime, last: false, payload };
      this.#socket?.binary(writeFrame(frame).buffer);
      await this.#pass(every);
    }
  }

  /** Bursts that can be said again, by the order in which they were heard. */
  get #remembered(): number[] {
    const kept = this.#store.state.air.filter(({ own, replayable }) => !own && replayable);
    return kept.map(({ key }) => Number(key.replace('heard-', '')));
  }

  #user(act: string | { share?: Ranges; range?: Ranges; [act: string]: unknown }): void {
    const { place, talk, tuning, hear } = this.#set;
    if (act === 'press') this.#set.press();
    else if (act === 'release') talk.release();
    else if (act === 'stop') place.unshare();
    else if (act === 'share') this.#share(this.#store.state.ranges);
    else if (typeof act === 'string') throw new Error(`nobody does ${act}`);
    else if (act.share) this.#share(act.share);
    else if (act.range) place.whereabouts.ranges = act.range;
    else if (act.mute !== undefined) tuning.mute(act.mute as number, true);
    else if (act.unmute !== undefined) tuning.mute(act.unmute as number, false);
    else if (act.page !== undefined) tuning.page('19', act.page as number);
    else if (act.again !== undefined) hear.sayAgain(`heard-${act.again}`);
  }

  #share(ranges: Ranges): void {
    this.#position.held = true;
    void this.#set.place.share(ranges);
  }

  #device(what: string | { cell: string }): void {
    if (typeof what !== 'string') this.#found(what);
    else if (what === 'nothing') this.#found({ fault: 'unavailable' });
    else if (this.#store.state.location.state === 'asking') this.#found({ fault: 'denied' });
    else this.#set.place.permitted('denied');
  }

  #found(reading: ScriptedPosition['reading']): void {
    this.#position.reading = reading;
    this.#position.release();
  }

  get #button(): string {
    const { state } = this.#store.state.button;
    return state === 'waiting' || state === 'talking' ? state : 'off';
  }
}

/** What a tab keeps when its page is loaded again. */
class Tab implements KeptPlace {
  #kept: { stamp?: string; until?: number } = {};

  constructor(private readonly clock: VirtualClock) {}

  read() {
    const { stamp, until = 0 } = this.#kept;
    return { ...(stamp !== undefined && { stamp }), waits: until > this.clock.now() };
  }
  write(stamp: string): void {
    this.#kept = { stamp };
  }
  takenBack(epochInMs: number): void {
    this.#kept = { until: this.clock.now() + epochInMs };
  }
  forget(): void {
    this.#kept = {};
  }
}

/** Warm, and without a tail. */
class Microphone implements Source {
  readonly ready = true;
  readonly hang = 0;
  #sink: Sink | null = null;

  async open(): Promise<void> {}
  begin(_frameMs: number, sink: Sink): void {
    this.#sink = sink;
  }
  async finish(): Promise<void> {
    this.#sink = null;
  }
  speak(frames: number): void {
    for (let i = 0; i < frames; i += 1) this.#sink?.packet(new Uint8Array(40).fill(8), 0);
  }
}

function same(wanted: unknown, got: unknown): void {
  if (!fits(wanted, got)) throw new Error(`it is ${JSON.stringify(got)}`);
}

/** Whether `got` has all that is wanted: null is also what is not there, and lists are as long. */
function fits(wanted: unknown, got: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(got) &&
      got.length === wanted.length &&
      wanted.every((one, index) => fits(one, got[index]))
    );
  }
  if (typeof wanted !== 'object' || wanted === null) return wanted === (got ?? null);
  if (typeof got !== 'object' || got === null) return false;
  const fields = got as Record<string, unknown>;
  return Object.entries(wanted).every(([field, one]) => fits(one, fields[field]));
}
