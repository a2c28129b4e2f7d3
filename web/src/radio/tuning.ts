import type { ChannelId } from '../gen/ChannelId';
import type { ClientMessage } from '../gen/ClientMessage';
import type { ParticipantNo } from '../gen/ParticipantNo';
import type { ServerMessage } from '../gen/ServerMessage';
import type { Clock } from './clock';
import type { Welcome } from './link';
import type { Tuned } from './model';
import { ofTuned, withPage, withPresence } from './presence';
import type { Refusal } from './refusal';
import type { Store } from './store';

export interface TuningOptions {
  store: Store;
  send(message: ClientMessage): boolean;
  clock: Clock;
  /** A channel is no longer heard. */
  left(channel: ChannelId): void;
}

/** A tune that came too fast is sent again after this many ms, if the server names no time. */
const TUNE_AGAIN = 1000;
/** Channels used lately that are remembered. */
const RECENT = 8;

/** Which channels are heard: the one of the button, and those that are scanned. */
export class Tuning {
  readonly #scanned = new Set<ChannelId>();
  #muted: ParticipantNo[] = [];

  constructor(private readonly options: TuningOptions) {}

  /** Makes `channel` the one of the button. */
  select(channel: ChannelId): void {
    const { store } = this.options;
    const before = store.state.channel;
    const recent = [channel, ...store.state.recent.filter((one) => one !== channel)];
    store.set({ channel, recent: recent.slice(0, RECENT), notice: null });
    if (before !== channel && !this.#scanned.has(before)) this.#untune(before);
    if (!store.state.tuned[channel]) this.#tune(channel, false);
  }

  scan(channel: ChannelId, on: boolean): void {
    if (on) this.#scanned.add(channel);
    else this.#scanned.delete(channel);
    const tuned = this.options.store.state.tuned[channel] !== undefined;
    if (on && !tuned) this.#tune(channel, false);
    else if (!on && tuned && channel !== this.options.store.state.channel) this.#untune(channel);
  }

  page(channel: ChannelId, page: number): void {
    this.options.send({ type: 'participants', channel, page });
  }

  mute(participant: ParticipantNo, muted: boolean): void {
    if (!this.options.send({ type: 'mute', participant, muted })) return;
    const others = this.#muted.filter((one) => one !== participant);
    this.#muted = muted ? [...others, participant] : others;
    this.options.store.set({ muted: this.#muted });
  }

  /** A new connection: tunes to what the server does not have tuned. */
  welcomed(welcome: Welcome): void {
    const { store } = this.options;
    if (!welcome.resumed) {
      this.#muted = [];
      store.set({ tuned: {}, muted: [] });
    }
    const wanted = new Set([store.state.channel, ...this.#scanned]);
    for (const channel of wanted) {
      // What goes on is brought up to date by the server.
      if (!welcome.tuned.includes(channel)) this.#tune(channel, !welcome.resumed);
    }
    for (const channel of welcome.tuned) {
      if (!wanted.has(channel)) this.options.send({ type: 'untune', channel });
    }
  }

  message(message: ServerMessage): void {
    const { store } = this.options;
    if (message.type === 'tuned') {
      if (!this.#isWanted(message.channel)) {
        // Left before the answer came.
        this.options.send({ type: 'untune', channel: message.channel });
        return;
      }
      const known = store.state.tuned[message.channel] !== undefined;
      this.#set(message.channel, ofTuned(message));
      if (known) return;
      store.emit({ type: 'tuned', channel: message.channel, count: message.count });
    } else if (message.type === 'untuned') {
      if (this.#isWanted(message.channel)) this.#forget(message.channel);
    } else if (message.type === 'presence') {
      this.#change(message.channel, (tuned) => withPresence(tuned, message));
    } else if (message.type === 'participants') {
      this.#change(message.channel, (tuned) => withPage(tuned, message));
    }
  }

  /** A message was refused. True when it needs nobody's attention: it is sent again by itself. */
  refused({ code, channel, retry_after_ms }: Refusal): boolean {
    if (code !== 'too_many_messages' || channel === undefined || !this.#isWanted(channel))
      return false;
    this.options.clock.after(retry_after_ms ?? TUNE_AGAIN, () => {
      const missing = this.options.store.state.tuned[channel] === undefined;
      if (missing && this.#isWanted(channel)) this.#tune(channel, false);
    });
    return true;
  }

  #isWanted(channel: ChannelId): boolean {
    return channel === this.options.store.state.channel || this.#scanned.has(channel);
  }

  #tune(channel: ChannelId, catchUp: boolean): void {
    this.options.send(
      catchUp ? { type: 'tune', channel, catch_up: true } : { type: 'tune', channel },
    );
  }

  #untune(channel: ChannelId): void {
    // One that is not tuned was refused, or is left when its answer comes.
    if (this.options.store.state.tuned[channel]) this.options.send({ type: 'untune', channel });
    this.#forget(channel);
  }

  #forget(channel: ChannelId): void {
    const { [channel]: _, ...tuned } = this.options.store.state.tuned;
    this.options.store.set({ tuned });
    this.options.left(channel);
  }

  #set(channel: ChannelId, tuned: Tuned): void {
    const { store } = this.options;
    store.set({ tuned: { ...store.state.tuned, [channel]: tuned } });
  }

  #change(channel: ChannelId, change: (tuned: Tuned) => Tuned): void {
    const tuned = this.options.store.state.tuned[channel];
    if (tuned) this.#set(channel, change(tuned));
  }
}
