import type { Device } from '../gen/Device';
import { BUNDLE_FRAMES } from '../gen/limits';
import type { ServerMessage } from '../gen/ServerMessage';
import type { Clock } from './clock';
import { parseFrame } from './frame';
import type { Player } from './hear';
import { Hear } from './hear';
import type { KeptPlace } from './keptPlace';
import type { Probed, Socket, SocketEvents, Welcome } from './link';
import { Link } from './link';
import { Memory } from './memory';
import type { Link as LinkState } from './model';
import { isNews, Place } from './place';
import type { Permission, Position } from './position';
import type { Way } from './ranging';
import { refusal } from './refusal';
import type { Source } from './source';
import type { Store } from './store';
import type { TalkOptions } from './talk';
import { Talk } from './talk';
import { Tuning } from './tuning';

/** What a transceiver has around it: a browser, or a test. */
export interface Surroundings extends Pick<TalkOptions, 'onFirstFrame' | 'onFrameSent'> {
  store: Store;
  clock: Clock;
  /** 0..1. */
  random(): number;
  open(events: SocketEvents): Socket;
  /** Name and version in `hello`. */
  client: string;
  device(): Device;
  /** Asks over HTTP why a socket did not open. */
  probe(): Promise<Probed>;
  position(changed: (permission: Permission) => void): Position;
  kept: KeptPlace;
  source: Source;
  player: Player;
  /** The link is in another state, and the store knows. */
  linked(link: LinkState): void;
}

/**
 * The radio behind the page: link, channels, place, button, ears. Wires them together; decides nothing that
 * one of them could decide. It does what `core::radio` does, and `vectors/radio` says so for both.
 */
export class Transceiver {
  readonly link: Link;
  readonly tuning: Tuning;
  readonly place: Place;
  readonly hear: Hear;
  readonly talk: Talk;
  readonly #memory: Memory;
  #lowData = false;

  constructor(private readonly around: Surroundings) {
    const { store, clock, player } = around;
    this.#memory = new Memory(clock, (key) => store.setBurst(key, { replayable: false }));
    this.place = this.#makePlace();
    this.link = this.#makeLink();
    this.hear = new Hear(store, this.#memory, player, clock, () =>
      this.#lowData ? BUNDLE_FRAMES : 1,
    );
    this.tuning = new Tuning({
      store,
      send: (message) => this.link.send(message),
      clock,
      left: (channel) => this.hear.left(channel),
    });
    this.talk = this.#makeTalk();
  }

  press(): void {
    // Somebody wants to talk: that is worth a try at once.
    if (!this.link.isUp) this.link.nudge();
    this.place.whereabouts.flush();
    this.talk.press();
  }

  setLowData(on: boolean): void {
    if (this.#lowData === on) return;
    this.#lowData = on;
    // The wish travels in `hello`; a burst on the air is not cut for it.
    if (!this.talk.isOpen) this.link.renew();
  }

  /** Ends the link, and lets go of all that was heard, said and shared. */
  leave(): void {
    const { store } = this.around;
    this.link.stop();
    this.talk.linkLost();
    for (const channel of Object.keys(store.state.tuned)) this.hear.left(channel);
    this.hear.restarted();
    this.#memory.clear();
    this.place.whereabouts.lost();
    this.place.forget();
    store.set({ tuned: {}, self: null, air: [], known: new Map(), microphone: 'unasked' });
  }

  setLink(link: LinkState): void {
    const { store, linked } = this.around;
    const resting = store.state.button.state;
    store.set({ link });
    if (link.state !== 'on_the_air' && resting === 'ready') {
      store.set({ button: { state: 'no_link' } });
    }
    this.talk.moved();
    linked(link);
  }

  /** Whether a press can go out: over the link, and no further than was chosen. */
  #way(): Way {
    const { state } = this.around.store.state.link;
    if (state === 'on_the_air') return this.place.way();
    return state === 'gone' || state === 'unregistered' ? 'link_lost' : 'wait';
  }

  #makeLink(): Link {
    const { store, clock, random, open, client, device, probe } = this.around;
    return new Link(
      {
        clock,
        random,
        open,
        client,
        device,
        probe,
        economy: () => this.#lowData,
        place: () => this.place.whereabouts.hello(),
        heard: () => this.hear.heard(),
      },
      {
        changed: (link) => this.setLink(link),
        welcomed: (welcome) => this.#welcomed(welcome),
        message: (message) => this.#message(message),
        voice: (bytes) => {
          const frame = parseFrame(bytes);
          if (typeof frame !== 'string') this.hear.frame(frame);
        },
        lost: () => {
          store.set({ self: null });
          this.talk.linkLost();
          this.place.whereabouts.lost();
        },
      },
    );
  }

  #makePlace(): Place {
    const { store, clock, kept, position } = this.around;
    return new Place({
      clock,
      kept,
      position: position((permission) => this.place.permitted(permission)),
      send: (message) => this.link.send(message),
      changed: (location, ranges) => {
        const before = store.state.location;
        store.set({ location, ranges });
        this.talk.moved();
        if (isNews(before, location)) store.emit({ type: 'location', location, ranges });
      },
      ranged: (ranges) => store.emit({ type: 'ranged', ranges }),
    });
  }

  #makeTalk(): Talk {
    const { store, clock, source, onFirstFrame, onFrameSent } = this.around;
    return new Talk({
      store,
      clock,
      source,
      memory: this.#memory,
      way: () => this.#way(),
      missing: () => (this.link.isUp ? 'location_needed' : 'link_lost'),
      send: (message) => this.link.send(message),
      sendVoice: (bytes) => this.link.sendVoice(bytes),
      frameMs: () => (this.#lowData ? 60 : 20),
      ...(onFirstFrame && { onFirstFrame }),
      ...(onFrameSent && { onFrameSent }),
    });
  }

  #welcomed(welcome: Welcome): void {
    const { you, host, talk_limit_ms, hold_ms } = welcome;
    this.around.store.set({ self: you.id, host, notice: null, link: { state: 'on_the_air' } });
    if (!welcome.resumed) this.hear.restarted();
    this.hear.welcomed(talk_limit_ms, hold_ms);
    this.tuning.welcomed(welcome);
    this.place.whereabouts.welcomed(welcome.epoch_in_ms);
    this.talk.linkUp(talk_limit_ms);
  }

  #message(message: ServerMessage): void {
    const { talk, hear, place } = this;
    if (message.type === 'burst.granted') talk.granted(message);
    else if (message.type === 'burst.others_wait') talk.othersWait(message);
    else if (message.type === 'receipt') talk.receipt(message);
    else if (message.type === 'burst.started') hear.started(message);
    else if (message.type === 'burst.gap') hear.gap(message);
    else if (message.type === 'burst.ended') hear.ended(message);
    else if (message.type === 'located') place.whereabouts.located(message);
    else if (message.type === 'ranged') place.whereabouts.ranged(message);
    else if (message.type === 'error') this.#notice(message);
    else if (message.type === 'island') {
      this.around.store.set({ notice: message.alone ? refusal('link_lost', 'island') : null });
    } else this.tuning.message(message);
  }

  #notice({ type: _, ...notice }: Extract<ServerMessage, { type: 'error' }>): void {
    if (this.tuning.refused(notice) || this.place.whereabouts.refused(notice)) return;
    this.around.store.set({ notice });
  }
}
