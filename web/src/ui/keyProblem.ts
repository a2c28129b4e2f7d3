/** What went wrong with a key file, in words, and the field that it belongs to. */

import { KeyFault } from '../radio/keyFault';
import { asRefusal } from '../radio/refusal';
import type { Text } from '../text';
import { later } from '../text/later';
import { refusalWords } from './face';

export interface KeyProblem {
  /** `form` is none of the fields. */
  at: 'file' | 'passphrase' | 'again' | 'form';
  words: { message: string; hint: string };
}

export function keyProblem(thrown: unknown, text: Text): KeyProblem {
  if (!(thrown instanceof KeyFault)) {
    return { at: 'form', words: refusalWords(asRefusal(thrown), text) };
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
