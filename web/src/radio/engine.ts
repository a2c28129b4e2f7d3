import type { Me } from '../gen/Me';
import type { Ranges } from '../gen/Ranges';
import { hears, lacking } from './abilities';
import { StoredAccount } from './account';
import { channelOf, firstChannel, isChannel, loadRecent, saveRecent, showChannel } from './address';
import { Api } from './api';
import { browserClock } from './clock';
import { BrowserDevice } from './device';
import type { Entrance } from './entrance';
import type { DeviceKey } from './identity';
import { findDeviceKey, forgetDeviceKey, keepDeviceKey, makeDeviceKey } from './identity';
import { sessionPlace } from './keptPlace';
import type { Probed } from './link';
import { Loudspeaker } from './loudspeaker';
import { measure } from './measure';
import { BrowserMicrophone } from './microphone';
import type { Account, Button, Queued, Radio, RadioEvent, RadioState, Trouble } from './model';
import { BrowserPosition } from './position';
import { asRefusal, isFinal, type Refusal } from './refusal';
import { openSocket } from './socket';
import { Store } from './store';
import { Transceiver } from './transceiver';

/** Name and version of this client. */
const CLIENT = `tenfour-web ${__VERSION__}`;

/** Makes the radio of this page. Nothing happens until `start`. */
export function createRadio(): Radio {
  return new Engine();
}

/** The microphone is heard. */
function isOpen(state: Button['state']): boolean {
  return state === 'talking' || state === 'waiting';
}

/** A transceiver in a browser, with its person: key, log-in, address. */
class Engine implements Radio {
  readonly account: Account;
  readonly #store: Store;
  readonly #api: Api;
  readonly #measure = measure(this);
  readonly #device = new BrowserDevice(CLIENT);
  readonly #loudspeaker: Loudspeaker;
  readonly #microphone: BrowserMicrophone;
  readonly #set: Transceiver;
  #key: DeviceKey | null = null;
  #watching = false;

  constructor() {
    const recent = loadRecent();
    const store = new Store(location.host, firstChannel(recent));
    store.set({ recent });
    this.#store = store;
    this.#api = new Api(__ORIGIN__ ?? location.origin);
    this.#loudspeaker = this.#makeLoudspeaker();
    this.#microphone = new BrowserMicrophone((why) => this.#set.talk.fault(why));
    this.#set = new Transceiver({
      store,
      clock: browserClock,
      random: Math.random,
      open: openSocket,
      client: CLIENT,
      device: () => this.#device.known(),
      probe: () => this.#logIn(),
      position: (changed) => new BrowserPosition(changed),
      kept: sessionPlace,
      source: this.#microphone,
      player: this.#loudspeaker,
      linked: (link) => store.emit({ type: 'link', link }),
      ...(this.#measure && {
        onFirstFrame: this.#measure.firstFrame,
        onFrameSent: this.#measure.sent,
      }),
    });
    this.account = this.#makeAccount();
    store.subscribe(({ button }) => this.#loudspeaker.hold(isOpen(button.state)));
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
    void this.#tellLack();
    this.#set.setLink({ state: 'connecting' });
    try {
      this.#key = await findDeviceKey();
    } catch (error) {
      this.#set.setLink({ state: 'gone', refusal: asRefusal(error) });
      return;
    }
    if (!this.#key) {
      this.#set.setLink({ state: 'unregistered' });
      return;
    }
    const probed = await this.#logIn();
    if (probed !== null && probed !== 'answered')
      this.#set.setLink({ state: 'gone', refusal: probed });
    else if (this.state.link.state !== 'unregistered') this.#connect();
  }

  async register(handle: string, description?: string): Promise<void> {
    try {
      this.#key ??= await makeDeviceKey();
      this.#store.set({
        me: await (await this.#entrance()).register(this.#key, handle, description),
      });
    } catch (error) {
      throw asRefusal(error);
    }
    this.#connect();
  }

  async logOut(): Promise<void> {
    this.#leave();
    let refusal: Refusal = { code: 'logged_out' };
    try {
      await this.#api.logout();
    } catch (error) {
      refusal = asRefusal(error);
    }
    this.#set.setLink({ state: 'gone', refusal });
  }

  select(channel: string): void {
    if (!isChannel(channel)) return;
    this.#set.tuning.select(channel);
    showChannel(channel);
    saveRecent(this.state.recent);
  }

  scan(channel: string, on: boolean): void {
    this.#set.tuning.scan(channel, on);
  }

  page(channel: string, page: number): void {
    this.#set.tuning.page(channel, page);
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
    this.#set.tuning.mute(participant, muted);
  }

  press(): void {
    this.unlockSound();
    this.#set.press();
  }

  release(): void {
    this.#set.talk.release();
  }

  sayAgain(key: string): void {
    this.unlockSound();
    this.#set.hear.sayAgain(key);
  }

  unlockSound(): void {
    this.#loudspeaker.unlock();
  }

  shareLocation(ranges: Ranges): void {
    void this.#set.place.share(ranges);
  }

  restoreLocation(): void {
    void this.#set.place.restore();
  }

  unshareLocation(): void {
    this.#set.place.unshare();
  }

  setRanges(ranges: Ranges): void {
    this.#set.place.whereabouts.ranges = ranges;
  }

  setLowData(on: boolean): void {
    this.#set.setLowData(on);
  }

  retry(): void {
    if (this.state.link.state === 'gone') void this.start();
    else this.#set.link.nudge();
  }

  #connect(): void {
    void this.#loudspeaker.open();
    this.#set.link.start();
  }

  /** Takes up the session of the cookie, or begins one with the key. */
  async #logIn(): Promise<Probed> {
    try {
      this.#store.set({ me: await this.#me() });
      return 'answered';
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.code !== 'not_registered') return isFinal(refusal) ? refusal : null;
      this.#set.link.stop();
      this.#set.setLink({ state: 'unregistered' });
      return null;
    }
  }

  async #me(): Promise<Me> {
    try {
      return await this.#api.me();
    } catch (error) {
      const code = asRefusal(error).code;
      if (!this.#key || (code !== 'not_logged_in' && code !== 'logged_out')) throw error;
      return (await this.#entrance()).login(this.#key);
    }
  }

  /** Who has a session goes without. */
  async #entrance(): Promise<Entrance> {
    const { Entrance } = await import('./entrance');
    const tell = (queued: Queued | null) => this.#store.set({ queued });
    return new Entrance({ api: this.#api, clock: browserClock, tell });
  }

  #leave(): void {
    this.#set.leave();
    this.#microphone.close();
  }

  #makeAccount(): Account {
    return new StoredAccount({
      store: this.#store,
      api: this.#api,
      setLink: (link) => this.#set.setLink(link),
      leave: () => this.#leave(),
      restart: () => this.start(),
      key: () => this.#key,
      adopt: async (pair) => {
        this.#key = await keepDeviceKey(pair);
        this.#store.set({ me: await (await this.#entrance()).login(this.#key) });
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

  #makeLoudspeaker(): Loudspeaker {
    const measured = this.#measure;
    return new Loudspeaker({
      finished: (play) => this.#set.hear.finished(play),
      levels: (play, levels) => this.#set.hear.levels(play, levels),
      blocked: (soundBlocked) => this.#store.set({ soundBlocked }),
      failed: () => this.#trouble('sound'),
      ...(measured && {
        measured: (message) => {
          if (message.type === 'tap') measured.tap(message.pcm);
          else measured.heard(message.play, message.time, message.at);
        },
      }),
    });
  }

  async #tellLack(): Promise<void> {
    const lack = await lacking();
    if (!lack) return;
    // Sound that has failed meanwhile failed for this reason, and loading the page again would not help.
    this.#store.set({ trouble: lack });
    if (!hears(lack)) this.#loudspeaker.fail();
  }

  /** Who hears nothing is told of that, and of nothing less. */
  #trouble(trouble: Trouble): void {
    if (hears(this.state.trouble)) this.#store.set({ trouble });
  }

  /** Hints that the network may be back, the browser's own back button, and what nobody caught. Once. */
  #watchBrowser(): void {
    if (this.#watching) return;
    this.#watching = true;
    window.addEventListener('error', ({ error }) => error && this.#trouble('page'));
    window.addEventListener('unhandledrejection', () => this.#trouble('page'));
    window.addEventListener('online', () => this.#set.link.nudge());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#set.link.nudge();
    });
    window.addEventListener('popstate', () => {
      const channel = channelOf(location.pathname);
      if (channel) this.select(channel);
    });
  }
}
