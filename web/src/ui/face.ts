/** What the button shows: one face for each state of the radio, in one place. */

import { hears } from '../radio/abilities';
import type { Link, Microphone, RadioState } from '../radio/model';
import type { Refusal } from '../radio/refusal';
import type { Text } from '../text';
import { faultWords, refusalWords } from '../text/refusals.svelte';
import { clock, secondsUntil } from './time';

/** The countdown is told in words for so many seconds before the talk limit. */
const LIMIT_NEAR = 10;

export type Face =
  | { kind: 'ready' }
  /** Somebody is heard on the button's channel. */
  | { kind: 'hearing' }
  /** The browser asks for the microphone. */
  | { kind: 'asking' }
  /** Pressed, not yet admitted: voice leaves already and waits in the burst. */
  | { kind: 'opening' }
  /** Pressed, and kept back with what is said. */
  | { kind: 'waiting'; what: 'link' | 'place' | 'range' }
  | { kind: 'talking'; since: number; limit: number; others?: boolean }
  | { kind: 'refused'; refusal: Refusal; until: number }
  | { kind: 'no_link'; link: Link['state'] | 'barred' }
  | { kind: 'no_microphone'; why: Fault; hears: boolean };

type Fault = Exclude<Microphone, 'ready' | 'unasked' | 'asking'>;

/** The face of a state. */
export function faceOf(state: RadioState): Face {
  const { button, link } = state;
  switch (button.state) {
    case 'talking':
      if (state.microphone === 'asking') return { kind: 'asking' };
      return button.granted
        ? {
            kind: 'talking',
            since: button.since,
            limit: button.limit,
            others: button.others ?? false,
          }
        : { kind: 'opening' };
    case 'waiting': {
      const range = state.location.state === 'asking' ? 'place' : 'range';
      return { kind: 'waiting', what: link.state === 'on_the_air' ? range : 'link' };
    }
    case 'refused':
      return { kind: 'refused', refusal: button.refusal, until: button.until };
    case 'no_link':
      return noLink(link);
    case 'no_microphone':
      return { kind: 'no_microphone', why: button.why, hears: hears(state.trouble) };
    case 'ready':
      if (link.state !== 'on_the_air') return noLink(link);
      if (state.microphone === 'asking') return { kind: 'asking' };
      return isHearing(state) ? { kind: 'hearing' } : { kind: 'ready' };
  }
}

function noLink(link: Link): Face {
  const barred = link.state === 'coming_back' && link.why === 'barred';
  return { kind: 'no_link', link: barred ? 'barred' : link.state };
}

function isHearing(state: RadioState): boolean {
  return state.air.some(
    (burst) => !burst.own && burst.state === 'playing' && burst.channel === state.channel,
  );
}

/** The words of a face: the large one, the small one, and a sentence above the button. */
export interface FaceWords {
  word: string;
  sub: string;
  caption: string;
}

/** How the person talks here: for the words only. */
export interface Manner {
  latch: boolean;
  /** Name of the talk key, empty where there is no keyboard. */
  key: string;
  /** When the present refusal began, `performance.now()`. */
  refusedAt: number;
}

/** Words for a face at a moment (`performance.now()`). */
export function faceWords(face: Face, manner: Manner, now: number, text: Text): FaceWords {
  const talk = text.talk;
  const invite = manner.latch ? talk.tap : talk.hold;
  switch (face.kind) {
    case 'ready':
      return { word: invite, sub: manner.key ? talk.key(manner.key) : '', caption: '' };
    case 'hearing':
      return { word: invite, sub: talk.heardNext, caption: '' };
    case 'asking':
      return { word: talk.asking, sub: talk.askingHint, caption: talk.askingCaption };
    case 'opening':
      return { word: talk.opening, sub: talk.openingHint, caption: '' };
    case 'waiting':
      return { word: talk.waiting, sub: talk.waitingFor[face.what], caption: '' };
    case 'talking':
      return {
        word: talk.onTheAir,
        sub: liveHint(face, manner, now, text),
        caption: '',
      };
    case 'refused':
      return refusedWords(face.refusal, manner.refusedAt, now, text);
    case 'no_link':
      return {
        word: talk.noLink,
        sub: talk.noLinkHint,
        // That it comes back by itself is not to be expected, and what is wrong stands above.
        caption: face.link === 'barred' ? '' : talk.noLinkCaption[face.link],
      };
    case 'no_microphone': {
      const caption = faultWords(face.why);
      return {
        word: talk.noMicrophone,
        sub: talk.microphone[face.why],
        // A microphone that fails says nothing about the loudspeaker.
        caption: face.hears ? `${caption} ${talk.listening}`.trim() : caption,
      };
    }
  }
}

/** The sentence alone, above the button and for screen readers. */
export function captionOf(state: RadioState, text: Text): string {
  return faceWords(faceOf(state), { latch: false, key: '', refusedAt: 0 }, 0, text).caption;
}

/** How to end; while others wait and near the talk limit how long it still goes. */
function liveHint(
  face: Extract<Face, { kind: 'talking' }>,
  manner: Manner,
  now: number,
  text: Text,
): string {
  const left = secondsUntil(face.since + face.limit, now);
  if (face.others) return text.talk.othersWait(left);
  if (left <= LIMIT_NEAR) return text.talk.secondsLeft(left);
  return manner.latch ? text.talk.tapToEnd : text.talk.release;
}

function refusedWords(refusal: Refusal, since: number, now: number, text: Text): FaceWords {
  const { message, hint } = refusalWords(refusal);
  const left =
    refusal.retry_after_ms === undefined ? 0 : secondsUntil(since + refusal.retry_after_ms, now);
  const again = left > 0 ? text.talk.tryIn(left) : text.talk.tryNow;
  return {
    word: text.talk.refused,
    sub: refusal.retry_after_ms === undefined ? text.reasons[refusal.code] : again,
    caption: `${message} ${hint}`,
  };
}

/** `m:ss` on the air. */
export function talkClock(face: Face, now: number): string {
  return face.kind === 'talking' ? clock(now - face.since) : '';
}
