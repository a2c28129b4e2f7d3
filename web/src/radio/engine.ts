import type { Me } from '../gen/Me';
import type { Ranges } from '../gen/Ranges';
import type { Refusal } from '../gen/Refusal';
import type { ServerMessage } from '../gen/ServerMessage';
import { StoredAccount } from './account';
import { channelOf, firstChannel, isChannel, loadRecent, saveRecent, showChannel } from './address';
import { Api } from './api';
import { browserClock } from './clock';
import { BrowserDevice } from './device';
import { parseFrame } from './frame';
import { Hear } from './hear';
import type { DeviceKey } from './identity';
import { findDeviceKey, forgetDeviceKey, keepDeviceKey, makeDeviceKey } from './identity';
import type { Welcome } from './link';
import { Link } from './link';
import { Loudspeaker } from './loudspeaker';
import { measure } from './measure';
import { Memory } from './memory';
import { BrowserMicrophone } from './microphone';
import type { Account, Link as LinkState, Radio, RadioEvent, RadioState } from './model';
import { isNews, Place } from './place';
import { BrowserPosition } from './position';
import { asRefusal, isFinal, loggedOut } from './refusal';
import { openSocket } from './socket';
import { Store } from './store';
import { Talk } from './talk';
import { Tuning } from './tuning';

/** Name and version of this client. */
const CLIENT = `tenfour-web ${__VERSION__}`;

/** Makes the radio of this page. Nothing happens until `start`. */
export function createRadio(): Radio {
  return new Engine();
}

/** Wires the parts together; decides nothing that one of them could decide. */
class Engine implements Radio {
  readonly account: Account;
  readonly #store: Store;
  readonly #api: Api;
  readonly #measure = measure(this);
  readonly #link: Link;
  readonly #tuning: Tuning;
  readonly #place: Place;
  readonly #device = new BrowserDevice(CLIENT);
  readonly #memory: Memory;
  readonly #hear: Hear;
  readonly #talk: Talk;
  readonly #loudspeaker: Loudspeaker;
  readonly #microphone: BrowserMicrophone;
  #key: DeviceKey | null = null;
  #lowData = false;
  #watching = false;

  constructor() {
    const recent = loadRecent();
    const store = new Store(location.host, firstChannel(recent));
    store.set({ recent });
    this.#store = store;
    this.#api = new Api(__ORIGIN__ ?? location.origin);
    this.#memory = new Memory((key) => store.setBurst(key, { replayable: false }));
    this.#place = this.#makePlace();
    this.#link = this.#makeLink();
    this.#loudspeaker = this.#makeLoudspeaker();
    this.#hear = new Hear(store, this.#memory, this.#loudspeaker, browserClock.now, () =>
      this.#lowData ? 3 : 1,
    );
    this.#tuning = new Tuning({
      store,
      send: (message) => this.#link.send(message),
      clock: browserClock,
      left: (channel) => this.#hear.left(channel),
    });
    this.#microphone = new BrowserMicrophone((why) => this.#talk.fault(why));
    this.#talk = this.#makeTalk();
    this.account = this.#makeAccount();
    store.subscribe(({ button }) => this.#loudspeaker.hold(button.state === 'talking'));
  }

  get state(): RadioState {
    return this.#store.state;
  }

  subscribe(run: (state: RadioState) => void): () => void {
    return this.#store.subscribe(run);
  }

  on(run: (event: RadioEvent) => void): () => void {
    return this.#store.on(run);
  }

  async start(): Promise<void> {
    this.#watchBrowser();
    this.#setLink({ state: 'connecting' });
    try {
      this.#key = await findDeviceKey();
    } catch (error) {
      this.#setLink({ state: 'gone', refusal: asRefusal(error) });
      return;
    }
    if (!this.#key) {
      this.#setLink({ state: 'unregistered' });
      return;
    }
    const refusal = await this.#logIn();
    if (refusal) this.#setLink({ state: 'gone', refusal });
    else if (this.state.link.state !== 'unregistered') this.#connect();
  }

  async register(handle: string, description?: string): Promise<void> {
    try {
      this.#key ??= await makeDeviceKey();
      this.#store.set({ me: await this.#api.register(this.#key, handle, description) });
    } catch (error) {
      throw asRefusal(error);
    }
    this.#connect();
  }

  async logOut(): Promise<void> {
    this.#leave();
    let refusal: Refusal = loggedOut();
    try {
      await this.#api.logout();
    } catch (error) {
      refusal = asRefusal(error);
    }
    this.#setLink({ state: 'gone', refusal });
  }

  select(channel: string): void {
    if (!isChannel(channel)) return;
    this.#tuning.select(channel);
    showChannel(channel);
    saveRecent(this.state.recent);
  }

  scan(channel: string, on: boolean): void {
    this.#tuning.scan(channel, on);
  }

  page(channel: string, page: number): void {
    this.#tuning.page(channel, page);
  }

  async loadChannels(): Promise<void> {
    try {
      const { host, channels } = await this.#api.channels();
      this.#store.set({ host, channels });
    } catch (error) {
      this.#store.set({ notice: asRefusal(error) });
    }
  }

  mute(participant: number, muted: boolean): void {
    this.#tuning.mute(participant, muted);
  }

  press(): void {
    this.unlockSound();
    if (!this.#link.isUp) this.#link.nudge();
    this.#place.flush();
    this.#talk.press();
  }

  release(): void {
    this.#talk.release();
  }

  sayAgain(key: string): void {
    this.unlockSound();
    this.#hear.sayAgain(key);
  }

  unlockSound(): void {
    this.#loudspeaker.unlock();
  }

  shareLocation(ranges: Ranges): void {
    void this.#place.share(ranges);
  }

  restoreLocation(ranges: Ranges): void {
    void this.#place.restore(ranges);
  }

  unshareLocation(): void {
    this.#place.unshare();
  }

  setRanges(ranges: Ranges): void {
    this.#place.setRanges(ranges);
  }

  setLowData(on: boolean): void {
    if (this.#lowData === on) return;
    this.#lowData = on;
    // The wish travels in `hello`; a burst on the air is not cut for it.
    if (this.state.button.state !== 'talking') this.#link.renew();
  }

  retry(): void {
    if (this.state.link.state === 'gone') void this.start();
    else this.#link.nudge();
  }

  #connect(): void {
    void this.#loudspeaker.open().catch(() => this.#rare('cannotDecode'));
    this.#link.start();
  }

  /**
   * Takes up the session of the cookie, or begins one with the key. Null when that worked, or may work
   * later; the link keeps trying.
   */
  async #logIn(): Promise<Refusal | null> {
    try {
      this.#store.set({ me: await this.#me() });
      return null;
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.code !== 'not_registered') return isFinal(refusal) ? refusal : null;
      this.#link.stop();
      this.#setLink({ state: 'unregistered' });
      return null;
    }
  }

  async #me(): Promise<Me> {
    try {
      return await this.#api.me();
    } catch (error) {
      const code = asRefusal(error).code;
      if (!this.#key || (code !== 'not_logged_in' && code !== 'logged_out')) throw error;
      return this.#api.login(this.#key);
    }
  }

  #leave(): void {
    this.#link.stop();
    this.#talk.linkLost();
    for (const channel of Object.keys(this.state.tuned)) this.#hear.left(channel);
    this.#hear.restarted();
    this.#memory.clear();
    this.#microphone.close();
    this.#place.lost();
    this.#place.forget();
    this.#store.set({ tuned: {}, self: null, air: [], known: new Map(), microphone: 'unasked' });
  }

  #makeAccount(): Account {
    return new StoredAccount({
      store: this.#store,
      api: this.#api,
      setLink: (link) => this.#setLink(link),
      leave: () => this.#leave(),
      restart: () => this.start(),
      key: () => this.#key,
      adopt: async (pair) => {
        this.#key = await keepDeviceKey(pair);
        this.#store.set({ me: await this.#api.login(this.#key) });
        this.#connect();
      },
      forget: async () => {
        await forgetDeviceKey();
        this.#key = null;
        saveRecent([]);
        this.#store.set({ recent: [] });
      },
    });
  }

  #makeLink(): Link {
    return new Link(
      {
        clock: browserClock,
        random: Math.random,
        open: openSocket,
        client: CLIENT,
        device: () => this.#device.known(),
        economy: () => this.#lowData,
        place: () => this.#place.hello(),
        heard: () => this.#hear.heard(),
        probe: () => this.#logIn(),
      },
      {
        changed: (link) => this.#setLink(link),
        welcomed: (welcome) => this.#welcomed(welcome),
        message: (message) => this.#message(message),
        voice: (bytes) => {
          const frame = parseFrame(bytes);
          if (typeof frame !== 'string') this.#hear.frame(frame);
        },
        lost: () => {
          this.#store.set({ self: null });
          this.#talk.linkLost();
          this.#place.lost();
        },
      },
    );
  }

  #makePlace(): Place {
    return new Place({
      clock: browserClock,
      position: new BrowserPosition((permission) => this.#place.permitted(permission)),
      send: (message) => this.#link.send(message),
      changed: (location, ranges) => {
        const before = this.state.location;
        this.#store.set({ location, ranges });
        if (isNews(before, location)) this.#store.emit({ type: 'location', location });
      },
      ranged: (ranges) => this.#store.emit({ type: 'ranged', ranges }),
    });
  }

  #makeLoudspeaker(): Loudspeaker {
    const measured = this.#measure;
    return new Loudspeaker({
      finished: (play) => this.#hear.finished(play),
      levels: (play, levels) => this.#hear.levels(play, levels),
      blocked: (soundBlocked) => this.#store.set({ soundBlocked }),
      ...(measured && {
        measured: (message) => {
          if (message.type === 'tap') measured.tap(message.pcm);
          else measured.heard(message.play, message.time, message.at);
        },
      }),
    });
  }

  #makeTalk(): Talk {
    return new Talk({
      store: this.#store,
      clock: browserClock,
      source: this.#microphone,
      memory: this.#memory,
      send: (message) => this.#link.send(message),
      sendVoice: (bytes) => this.#link.sendVoice(bytes),
      frameMs: () => (this.#lowData ? 60 : 20),
      ...(this.#measure && {
        onFirstFrame: this.#measure.firstFrame,
        onFrameSent: this.#measure.sent,
      }),
    });
  }

  #welcomed(welcome: Welcome): void {
    const { you, host, talk_limit_ms } = welcome;
    this.#store.set({ self: you.id, host, notice: null, link: { state: 'on_the_air' } });
    if (!welcome.resumed) this.#hear.restarted();
    this.#hear.welcomed(talk_limit_ms);
    this.#tuning.welcomed(welcome);
    this.#place.welcomed(welcome.epoch_in_ms);
    this.#talk.linkUp(talk_limit_ms);
  }

  #message(message: ServerMessage): void {
    if (message.type === 'burst.granted') this.#talk.granted(message);
    else if (message.type === 'receipt') this.#talk.receipt(message);
    else if (message.type === 'burst.started') this.#hear.started(message);
    else if (message.type === 'burst.gap') this.#hear.gap(message);
    else if (message.type === 'burst.ended') this.#hear.ended(message);
    else if (message.type === 'located') this.#place.located(message);
    else if (message.type === 'ranged') this.#place.ranged(message);
    else if (message.type === 'error') this.#notice(message);
    else if (message.type === 'island') void this.#rare(message.alone && 'island');
    else this.#tuning.message(message);
  }

  async #rare(what: keyof typeof import('./rare') | false): Promise<void> {
    // Also for nothing: what is told later must not be overtaken by what is loaded still.
    const rare = await import('./rare');
    this.#store.set({ notice: what ? rare[what]() : null });
  }

  #notice({ type: _, ...notice }: Extract<ServerMessage, { type: 'error' }>): void {
    if (this.#tuning.refused(notice) || this.#place.refused(notice)) return;
    this.#store.set({ notice });
  }

  #setLink(link: LinkState): void {
    const resting = this.state.button.state;
    this.#store.set({ link });
    if (link.state !== 'on_the_air' && resting === 'ready') {
      this.#store.set({ button: { state: 'no_link' } });
    }
    this.#store.emit({ type: 'link', link });
  }

  /** Hints that the network may be back, and the browser's own back button. Once. */
  #watchBrowser(): void {
    if (this.#watching) return;
    this.#watching = true;
    window.addEventListener('online', () => this.#link.nudge());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#link.nudge();
    });
    window.addEventListener('popstate', () => {
      const channel = channelOf(location.pathname);
      if (channel) this.select(channel);
    });
  }
}
