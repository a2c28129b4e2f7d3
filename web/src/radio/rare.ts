/** What is rarely told: loaded by who needs it, and by nobody else. */

import type { Refusal } from '../gen/Refusal';

export function noEd25519(): Refusal {
  return {
    code: 'unsupported',
    message: 'This browser cannot make a device key (Ed25519).',
    hint: 'Use Chrome 137, Firefox 129, Safari 17 or newer, over https.',
  };
}

/** While the server cannot reach the other machines of its radio. */
export function island(): Refusal {
  return {
    // One for which the page has no words of its own.
    code: 'server_full',
    message: 'The other machines of this radio cannot be reached.',
    hint: 'You hear and are heard by the people on this one. The others come back by themselves.',
  };
}
