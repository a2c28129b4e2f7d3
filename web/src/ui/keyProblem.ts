/** What went wrong with a key file, in words, and the field that it belongs to. */

import { KeyFault } from '../radio/keyFault';
import { asRefusal } from '../radio/refusal';
import { later } from '../text/later';
import { refusalWords } from '../text/refusals.svelte';

export interface KeyProblem {
  /** `form` is none of the fields. */
  at: 'file' | 'passphrase' | 'again' | 'form';
  words: { message: string; hint: string };
}

export function keyProblem(thrown: unknown): KeyProblem {
  if (!(thrown instanceof KeyFault)) {
    return { at: 'form', words: refusalWords(asRefusal(thrown)) };
  }
  const words = later.key.faults[thrown.reason];
  switch (thrown.reason) {
    case 'passphrase':
    case 'length':
      return { at: 'passphrase', words };
    case 'damaged':
    case 'newer':
    case 'foreign':
      return { at: 'file', words };
    case 'kept':
      return { at: 'form', words };
  }
}
