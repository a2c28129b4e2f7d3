/** What happened and what to do, for every refusal. The server's own sentences are for programmers. */

import type { Code } from '../gen/Code';
import { CONTACT_GRAPHEMES, DESCRIPTION_GRAPHEMES, HANDLE_GRAPHEMES } from '../gen/limits';
import type { Situation } from '../radio/refusal';
import type { Fault } from '../radio/source';
import { BROWSERS } from './en';
import { place } from './en.range';

export interface Words {
  message: string;
  hint: string;
}

const seeRange = 'The line under the range says what you can do.';
const pageTooOld: Words = {
  message: 'This page and the server do not understand each other.',
  hint: 'Reload the page to get the present one.',
};
const notPossible: Words = {
  message: 'The server does not offer this.',
  hint: 'Reload the page to get the present one.',
};

export const refusals: Record<Code, Words> = {
  malformed_message: pageTooOld,
  message_too_large: { message: 'That was too long for the server.', hint: 'Make it shorter.' },
  malformed_frame: {
    message: 'Some of what you said was not understood by the server.',
    hint: 'Press and say it again; reload the page if it stays.',
  },
  hello_expected: pageTooOld,
  already_greeted: pageTooOld,
  too_many_messages: {
    message: 'That was too much at once.',
    hint: 'Wait a moment, then try again.',
  },
  too_much_voice: {
    message: 'More voice came at once than the server takes.',
    hint: 'Press and say it again.',
  },
  unknown_channel: {
    message: 'There is no such channel.',
    hint: 'Use 1 to 40, or a name like road-66.',
  },
  not_tuned: {
    message: 'You are not tuned in to this channel.',
    hint: 'Tune in, then press again.',
  },
  channel_full: {
    message: 'The channel is full.',
    hint: 'Try another channel, or come back later.',
  },
  too_many_channels: {
    message: 'You listen to as many channels as you may.',
    hint: 'Leave one first.',
  },
  no_room_for_channel: {
    message: 'The server takes no more named channels.',
    hint: 'Use a number, or a name that exists.',
  },
  channel_busy: {
    message: 'Too many people talk on this channel.',
    hint: 'Wait until one has finished.',
  },
  resting: {
    message: 'You have talked as long as one may at once.',
    hint: 'Let others answer; press again in a moment.',
  },
  speech_spent: {
    message: 'You have talked for most of the last minutes, and others wait.',
    hint: 'Let them talk; listening always works.',
  },
  already_talking: {
    message: 'You are on the air already, here or on another device.',
    hint: 'End that first, then press again.',
  },
  burst_number_used: { message: 'The radio got out of step.', hint: 'Press again.' },
  no_voice: {
    message: 'No voice reached the server.',
    hint: 'Hold the button while you talk; check the microphone if it stays.',
  },
  unknown_participant: {
    message: 'This person is no longer here.',
    hint: 'Nothing is to be done.',
  },
  too_many_muted: {
    message: 'You have muted as many people as you can.',
    hint: 'Unmute somebody first.',
  },
  cell_refused: { message: place.lost.cell_refused.message, hint: seeRange },
  location_needed: { message: 'Your range needs your location.', hint: seeRange },
  too_many_moves: { message: place.lost.too_many_moves.message, hint: seeRange },
  not_logged_in: { message: 'You are not logged in.', hint: 'Log in and try again.' },
  logged_out: { message: 'You have logged out.', hint: 'Log in to come back.' },
  erased: { message: 'You were erased from this server.', hint: 'Register to begin anew.' },
  foreign_origin: {
    message: 'The server does not know this address as its own.',
    hint: 'Open the page at the address its operator gave you.',
  },
  unknown_subprotocol: pageTooOld,
  upgrade_expected: pageTooOld,
  bad_signature: {
    message: 'The server did not accept the key of this device.',
    hint: 'Open the page at the address its operator gave you.',
  },
  nonce_expired: { message: 'The log-in took too long.', hint: 'Try again.' },
  work_needed: {
    message:
      'Many people registered from your network, and this device did not finish the work for a place.',
    hint: 'Try again, or come back in an hour.',
  },
  not_registered: {
    message: 'This server does not know your key.',
    hint: 'Choose a handle first.',
  },
  already_registered: {
    message: 'Your key is registered here already.',
    hint: 'Reload the page to log in with it.',
  },
  handle_refused: {
    message: 'This handle cannot be used.',
    hint: `Use 1 to ${HANDLE_GRAPHEMES} visible letters or signs. If yours is, somebody with your tag has one that looks like it: choose another.`,
  },
  description_refused: {
    message: 'This line about you cannot be used.',
    hint: `Use up to ${DESCRIPTION_GRAPHEMES} visible letters or signs.`,
  },
  contact_refused: {
    message: 'This message cannot be sent.',
    hint: `Write 1 to ${CONTACT_GRAPHEMES} letters or signs.`,
  },
  too_many_contacts: {
    message: 'As many of your messages as can wait for the operator are waiting.',
    hint: 'Write again when the operator has read one.',
  },
  inbox_full: { message: 'The operator’s inbox is full.', hint: 'Try again in a day or two.' },
  server_full: { message: 'The server is full.', hint: 'Come back in a while.' },
  too_many_requests: {
    message: 'Too many requests came from your network.',
    hint: 'Wait a moment, then try again.',
  },
  store_unavailable: {
    message: 'The server cannot reach what it has stored.',
    hint: 'Try again later; the operator sees why.',
  },
  not_found: notPossible,
  method_not_allowed: notPossible,
  stalled: {
    message: 'The connection took nothing for too long.',
    hint: 'Press again when the link is back.',
  },
  replaced: {
    message: 'You use this radio in more places than one may at once.',
    hint: 'Close another one, then come back.',
  },
  displaced: {
    message: 'Newer log-ins with your key have taken the place of this one.',
    hint: 'Log in to come back.',
  },
  going_away: {
    message: 'The server is being restarted.',
    hint: 'It will be back in a moment.',
  },
  link_lost: {
    message: 'The link was lost while you talked.',
    hint: 'Press again when it is back.',
  },
  talk_limit: { message: 'The talk limit was reached.', hint: 'Press again to go on.' },
  unsupported: {
    message: 'This browser lacks something that the radio needs.',
    hint: 'Use a newer one.',
  },
};

export const situations: Record<Situation, Words> = {
  courtesy: { message: 'Others wait to talk.', hint: 'Let them answer; then press again.' },
  island: {
    message: 'The other machines of this radio cannot be reached.',
    hint: 'You hear and are heard by the people on this one. The others come back by themselves.',
  },
  key_kept: {
    message: 'The server has erased you, but this browser did not delete the device key.',
    hint: 'Clear the data of this site in the settings of the browser.',
  },
  no_ed25519: {
    message: 'This browser cannot make a device key (Ed25519).',
    hint: 'Use Chrome 137, Firefox 129, Safari 17 or newer, over https.',
  },
  no_key_store: {
    message: 'This browser does not let the page keep a device key.',
    hint: 'Leave private browsing, or allow the page to store data.',
  },
  silent: {
    message: 'No voice reached the server for a second.',
    hint: 'Check the microphone and press again.',
  },
  unreachable: {
    message: 'The server does not answer.',
    hint: 'Check your connection; we keep trying.',
  },
};

/** Why nobody hears the person, and what to do. */
export const faults: Record<Fault, string> = {
  refused:
    'This page may not use the microphone, so nobody can hear you. Allow it beside the address bar, then press again.',
  missing: 'No microphone was found, so nobody can hear you. Plug one in, then press again.',
  unsupported: `This browser cannot send voice here, so nobody can hear you. ${BROWSERS}`,
  interrupted:
    'A call or another program has the microphone, so nobody can hear you. Press again when it is over.',
  broken:
    'The microphone has failed, so nobody can hear you. Press again; if that does not help, reload the page.',
};
