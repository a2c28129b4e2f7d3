/**
 * What the interface sees of the radio, and what it may ask of it. The radio (`radio/`)
 * implements this; the interface (`ui/`) draws it and decides nothing.
 */

import type { ChannelInfo } from '../gen/ChannelInfo';
import type { Code } from '../gen/Code';
import type { EndReason } from '../gen/EndReason';
import type { Held } from '../gen/Held';
import type { Me } from '../gen/Me';
import type { Participant } from '../gen/Participant';
import type { Profile } from '../gen/Profile';
import type { Ranges } from '../gen/Ranges';
import type { SignalGrade } from '../gen/SignalGrade';
import type { Known } from './heardBefore';
import type { Refusal } from './refusal';

/** State of the link to the server. */
export type Link =
  /** No user yet: the first visit. */
  | { state: 'unregistered' }
  /** First connection of this visit. */
  | { state: 'connecting' }
  | { state: 'on_the_air' }
  /**
   * Lost; the next try is at `retryAt` (ms, `performance.now()`). `barred`: the server answers, and lets no
   * WebSocket through.
   */
  | { state: 'coming_back'; retryAt: number; why: 'lost' | 'going_away' | 'barred' }
  /** Ended for good until the person acts. */
  | { state: 'gone'; refusal: Refusal };

/** Why a registration or log-in takes longer: many come in from the same network. Nothing is to be done. */
export type Queued =
  /** Each has a turn: the next try is at `until`, told at `since` (ms, `performance.now()`). */
  | { what: 'turn'; since: number; until: number }
  /** This device works for its place; `share` is how likely it was to be done by now, 0..1. */
  | { what: 'work'; share: number };

/** State of the microphone. It is asked for at the first press, never before. */
export type Microphone =
  | 'unasked'
  | 'asking'
  | 'ready'
  /** The person, or a policy, does not allow it. */
  | 'refused'
  /** There is none. */
  | 'missing'
  /** This browser cannot send voice. */
  | 'unsupported'
  /** A call, the lock of the screen or another program has it. */
  | 'interrupted'
  /** The microphone, its worklet or its encoder failed, or something that nobody foresaw did. */
  | 'broken';

/** What this page cannot do until it is loaded again, or opened in another browser. */
export type Trouble =
  /** This browser neither plays nor sends voice. */
  | 'no_voice'
  /** It sends voice and plays none. */
  | 'no_decoder'
  /** It plays voice and sends none. */
  | 'no_encoder'
  /** What decodes and plays has failed: nothing is heard any more. */
  | 'sound'
  /** Something was thrown that nobody foresaw. */
  | 'page';

/** State of the button. */
export type Button =
  | { state: 'ready' }
  /** Pressed, and kept back with what is said: the link, or the range that was chosen, is not there yet. */
  | { state: 'waiting' }
  /** Live. `since` and `limit` in ms, for the ring that runs down; `others` wait to talk. */
  | { state: 'talking'; since: number; limit: number; granted: boolean; others?: boolean }
  /** Refused or ended by the server: shown until the next press or `until`. */
  | { state: 'refused'; refusal: Refusal; until: number }
  | { state: 'no_link' }
  | { state: 'no_microphone'; why: Exclude<Microphone, 'ready' | 'unasked' | 'asking'> };

/** Why a location that was shared, or was to be shared, is not. */
export type LocationLost =
  /** The browser's permission was taken away in mid-session. */
  | 'revoked'
  /** The device, or the library that makes a cell, gave nothing. */
  | 'unavailable'
  | 'cell_refused'
  | 'too_many_moves';

/** Whether the server knows a cell of this page. The cell itself never leaves `radio/`. */
export type Location =
  | { state: 'not_shared'; lost?: LocationLost }
  /** The browser asks, or looks. */
  | { state: 'asking' }
  /**
   * Shared. `inForce` is false while the server knows no cell, because one waits for an epoch boundary
   * or was refused (`lost`); `effectiveAt` (ms, `performance.now()`) is when a cell that was sent comes
   * into force, or is said again.
   */
  | {
      state: 'shared';
      inForce: boolean;
      country?: string;
      effectiveAt?: number;
      lost?: 'cell_refused' | 'too_many_moves';
    }
  /** The browser refuses this page; `lost` when that came in mid-session. */
  | { state: 'denied'; lost?: 'revoked' }
  /** This browser, or an address without https, gives no location. */
  | { state: 'unsupported' };

/** One burst on the air strip, one's own included. */
export interface Burst {
  /** Stable key of the row. */
  key: string;
  channel: string;
  talker: Participant;
  /** Somebody with a handle that looks like the talker's was heard before: with this tag. */
  another?: string;
  /** True for one's own. */
  own: boolean;
  /** `missed`: it could not begin in time, and was not played. */
  state: 'waiting' | 'playing' | 'played' | 'missed' | 'talking' | 'sent' | 'refused';
  /** How long after it was said it plays, in ms, unless that is at once. */
  late?: number | undefined;
  /** Sound so far, in ms. */
  length: number;
  /** Level curve, 0..1, one value for each 100 ms, at most 100 values (older ones are merged). */
  levels: number[];
  /** One's own of which others could hear a part only. */
  part?: Part;
  /** Why the rest of it was not relayed, if the server has dropped some. */
  dropped?: Code | undefined;
  /** Frames that never came. */
  gaps: number;
  /** How near the talker is, when both share a cell. */
  grade?: SignalGrade;
  ended?: EndReason;
  /** True while the sound is still in memory, so that it can be said again. */
  replayable: boolean;
}

/** How much of a burst others could hear, of all that was said, in ms. `late`: the link had cut it. */
export interface Part {
  heard: number;
  length: number;
  late: boolean;
}

/** A channel one is tuned to. */
export interface Tuned {
  channel: string;
  label?: string;
  count: number;
  /** Sorted by handle; a page at a time above 500. */
  participants: Participant[];
  page: number;
  pages: number;
}

export interface RadioState {
  me: Me | null;
  /** Own participant number while connected. */
  self: number | null;
  host: string;
  link: Link;
  /** What coming in waits for; null while it waits for nothing. */
  queued: Queued | null;
  microphone: Microphone;
  button: Button;
  /** The channel that the button talks on. */
  channel: string;
  tuned: Record<string, Tuned>;
  /** The channel list of the server, empty until asked for. */
  channels: ChannelInfo[];
  /** Channels used lately, newest first, at most 8. */
  recent: string[];
  /** Oldest first, newest last, at most 50. */
  air: Burst[];
  /** Participant numbers that are muted. */
  muted: number[];
  /** Who was heard before, for the mark of a handle that comes with another tag. */
  known: Known;
  location: Location;
  /**
   * How far the person chose to reach and to hear. No press goes further, whatever becomes of the
   * location: while a limited range cannot be had, presses are refused.
   */
  ranges: Ranges;
  /** Sound out is blocked by the browser until the next touch or key. */
  soundBlocked: boolean;
  trouble: Trouble | null;
  /** Last refusal that belongs to no button and no link, e.g. a channel that is full. */
  notice: Refusal | null;
}

/** One-shot events, for cues, haptics and the live region. */
export type RadioEvent =
  | { type: 'permit' }
  | { type: 'deny'; refusal: Refusal }
  /** `another` is the tag of `Burst.another`, said once of each. */
  | { type: 'incoming'; talker: Participant; channel: string; another?: string }
  | { type: 'roger'; talker: Participant; channel: string }
  /** A burst was not played; so many rows are missed now. */
  | { type: 'missed'; count: number }
  | { type: 'sent'; ended: EndReason; part?: Part }
  /** The link is back, and this was heard of a burst that it had cut. */
  | { type: 'late'; part: Part }
  | { type: 'tuned'; channel: string; count: number }
  | { type: 'link'; link: Link }
  /** The location came into another state; `ranges` are those that were chosen. */
  | { type: 'location'; location: Location; ranges: Ranges }
  /** The server has taken these ranges. */
  | { type: 'ranged'; ranges: Ranges };

/** What the server has stored of this person. Every act throws a `Refusal`. */
export interface Account {
  /** Changes what others see of one; those on the same channels see it at once. */
  change(profile: Profile): Promise<void>;
  /** All that is stored. */
  held(): Promise<Held>;
  /** The text of a key file, sealed under a passphrase. Throws a `KeyFault`, too. */
  exportKey(passphrase: string): Promise<string>;
  /**
   * Makes the key of a file the key of this browser, and connects. False when the server does not know
   * it: `register` gives it a handle. Throws a `KeyFault`, too.
   */
  importKey(file: string, passphrase: string): Promise<boolean>;
  /** Writes to the operator. */
  contact(text: string): Promise<void>;
  /** Ends every session, this one too. */
  logOutEverywhere(): Promise<void>;
  /** Has everything erased, deletes the device key, and is back at the first visit. */
  erase(): Promise<void>;
}

export interface Radio {
  readonly state: RadioState;
  readonly account: Account;
  /** Calls back at once and after every change; returns how to stop. Svelte's store contract. */
  subscribe(run: (state: RadioState) => void): () => void;
  on(run: (event: RadioEvent) => void): () => void;

  /** Finds the device key and logs in when there is one. */
  start(): Promise<void>;
  /** First visit: makes the device key, registers, connects. Throws a `Refusal`. */
  register(handle: string, description?: string): Promise<void>;
  logOut(): Promise<void>;

  /** Leaves the present channel and tunes to this one; becomes the channel of the button. */
  select(channel: string): void;
  /** Scan: also hears this channel. */
  scan(channel: string, on: boolean): void;
  page(channel: string, page: number): void;
  loadChannels(): Promise<void>;
  mute(participant: number, muted: boolean): void;

  /** Must be called in a user gesture the first time. */
  press(): void;
  release(): void;
  /** Plays a burst once more, from memory. */
  sayAgain(key: string): void;
  /** In a user gesture: lets the browser make sound. */
  unlockSound(): void;
  /**
   * In a user gesture: asks the browser for the location, then shares its cell. `ranges` are chosen with
   * that, unless the person declines.
   */
  shareLocation(ranges: Ranges): void;
  /** The same at a later visit without asking anybody: only when the browser allows it already. */
  restoreLocation(): void;
  /** Takes the location back at once; the ranges stay as they were chosen. */
  unshareLocation(): void;
  /** Chooses. */
  setRanges(ranges: Ranges): void;
  /** Fewer, larger packets both ways. */
  setLowData(on: boolean): void;
  /** Tries the link now. */
  retry(): void;
}
