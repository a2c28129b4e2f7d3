import type { Code } from '../gen/Code';
import type { EndReason } from '../gen/EndReason';
import { REST } from '../gen/limits';
import type { Problem } from '../gen/Problem';
import type { Refusal as Wire } from '../gen/Refusal';

/** What this page knows more of than the code says. */
export type Situation =
  /** A burst was ended since others wait. */
  | 'courtesy'
  /** The server has lost the other machines of its radio. */
  | 'island'
  /** The browser did not delete the device key. */
  | 'key_kept'
  | 'no_ed25519'
  /** The browser does not keep a device key. */
  | 'no_key_store'
  /** A burst was ended since no voice came. */
  | 'silent'
  /** The server does not answer. */
  | 'unreachable';

/** What was refused, by the server or by this page. Its words are in `text/`. */
export interface Refusal extends Partial<Omit<Wire, 'message' | 'hint'>> {
  code: Code;
  as?: Situation;
}

export function refusal(code: Code, as?: Situation): Refusal {
  return as ? { code, as } : { code };
}

export function isRefusal(thing: unknown): thing is Refusal {
  return typeof (thing as Partial<Refusal> | null)?.code === 'string';
}

/** What a failed act is told as: a refusal stays one, anything else is an unreachable server. */
export function asRefusal(thing: unknown): Refusal {
  return isRefusal(thing) ? thing : unreachable();
}

/** Trying again will not help. */
export function isFinal({ code }: Refusal): boolean {
  return code === 'bad_signature' || code === 'foreign_origin' || code === 'already_registered';
}

export function ofProblem({ code, retry_after_ms }: Problem): Refusal {
  return retry_after_ms === undefined ? { code } : { code, retry_after_ms };
}

export function unreachable(): Refusal {
  return refusal('link_lost', 'unreachable');
}

/** Why the server ended a burst while the button was still held; nothing to say for `released`. */
export function ofEnd(ended: EndReason): Refusal {
  switch (ended) {
    case 'talk_limit':
    case 'going_away':
      return refusal(ended);
    case 'courtesy':
      return { ...refusal('resting', 'courtesy'), retry_after_ms: REST };
    case 'silent':
      return refusal('stalled', 'silent');
    case 'untuned':
      return refusal('not_tuned');
    case 'released':
    // Told to listeners only.
    case 'out_of_range':
    case 'talker_lost':
      return refusal('link_lost');
  }
}
