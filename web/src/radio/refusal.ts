import type { Code } from '../gen/Code';
import type { EndReason } from '../gen/EndReason';
import type { Problem } from '../gen/Problem';
import type { Refusal } from '../gen/Refusal';

/** After a burst that a limit ended, the server refuses the next for so long, in ms. */
const REST = 3_000;

/** A refusal that this page makes itself; its words say more than the code. */
export function refusal(code: Code, message: string, hint: string): Refusal {
  return { code, message, hint };
}

export function isRefusal(thing: unknown): thing is Refusal {
  return typeof thing === 'object' && thing !== null && 'code' in thing && 'hint' in thing;
}

/** What a failed act is told as: a refusal stays one, anything else is an unreachable server. */
export function asRefusal(thing: unknown): Refusal {
  return isRefusal(thing) ? thing : unreachable();
}

/** Trying again will not help. */
export function isFinal({ code }: Refusal): boolean {
  return code === 'bad_signature' || code === 'foreign_origin' || code === 'already_registered';
}

export function ofProblem(problem: Problem): Refusal {
  const { code, title: message, detail: hint, retry_after_ms } = problem;
  return retry_after_ms === undefined
    ? { code, message, hint }
    : { code, message, hint, retry_after_ms };
}

export function unreachable(): Refusal {
  return refusal(
    'link_lost',
    'The server does not answer.',
    'Check your connection; we keep trying.',
  );
}

export function linkLost(): Refusal {
  return refusal(
    'link_lost',
    'The link was lost while you talked.',
    'Press again when it is back.',
  );
}

/** A press that did not go out; the words are those of the interface. */
export function unsent(code: Code): Refusal {
  return refusal(code, '', '');
}

export function loggedOut(): Refusal {
  return refusal('logged_out', 'You have logged out.', 'Log in to come back.');
}

export function erased(): Refusal {
  return refusal('erased', 'You were erased from this server.', 'Register to begin anew.');
}

export function replaced(): Refusal {
  return refusal(
    'replaced',
    'You use this radio in more places than one may at once.',
    'Close another one, then come back.',
  );
}

export function displaced(): Refusal {
  return refusal(
    'displaced',
    'Newer log-ins with your key have taken the place of this one.',
    'Log in to come back.',
  );
}

export function keyKept(): Refusal {
  return refusal(
    'erased',
    'The server has erased you, but this browser did not delete the device key.',
    'Clear the data of this site in the settings of the browser.',
  );
}

export function noKeyStore(): Refusal {
  return refusal(
    'unsupported',
    'This browser does not let the page keep a device key.',
    'Leave private browsing, or allow the page to store data.',
  );
}

/** Why the server ended a burst while the button was still held; nothing to say for `released`. */
export function ofEnd(ended: EndReason): Refusal {
  switch (ended) {
    case 'talk_limit':
      return refusal('talk_limit', 'The talk limit was reached.', 'Press again to go on.');
    case 'courtesy':
      return {
        ...refusal('resting', 'Others wait to talk.', 'Let them answer; then press again.'),
        retry_after_ms: REST,
      };
    case 'silent':
      return refusal(
        'stalled',
        'No voice reached the server for a second.',
        'Check the microphone and press again.',
      );
    case 'untuned':
      return refusal('not_tuned', 'You left the channel.', 'Tune in and press again.');
    case 'going_away':
      return refusal(
        'going_away',
        'The server is being restarted.',
        'It will be back in a moment.',
      );
    case 'released':
    // Told to listeners only.
    case 'out_of_range':
    case 'talker_lost':
      return linkLost();
  }
}
