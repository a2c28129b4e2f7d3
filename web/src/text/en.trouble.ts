/** English for what the page, or its browser, cannot do. */

import { BROWSERS } from './en';

export const trouble = {
  no_voice: {
    message: 'This browser can neither play voice nor send it.',
    hint: `You see who is here and who talks, but you hear nobody and nobody hears you. ${BROWSERS}`,
  },
  no_decoder: {
    message: 'This browser cannot play voice.',
    hint: `Others can hear you, but you hear nobody. ${BROWSERS}`,
  },
  no_encoder: {
    message: 'This browser cannot send voice.',
    hint: `You hear the others, but nobody can hear you. ${BROWSERS}`,
  },
  sound: {
    message: 'The sound of this page has failed.',
    hint: 'You hear nobody until the page is loaded again.',
  },
  page: {
    message: 'Something in this page has failed.',
    hint: 'What it shows may be out of date, and it may not do what you ask, until it is loaded again.',
  },
  barred: {
    message: 'The server answers, but the radio does not get through.',
    hint: 'Most likely a proxy between you and the server does not pass WebSockets on. Tell the operator of the server, or try another network. The page keeps trying.',
  },
};
