/**
 * English. Every word that a person reads or hears is in here; other languages have the
 * same shape. Numbers come with their unit.
 */

import type { Code } from '../gen/Code';
import type { EndReason } from '../gen/EndReason';
import { place, range, signal } from './en.range';

const people = (n: number): string => (n === 1 ? '1 person' : `${n} people`);
const seconds = (n: number): string => (n === 1 ? '1 second' : `${n} seconds`);

/** What a radio needs: Ed25519, Opus in WebCodecs, worklets. */
export const BROWSERS =
  'Use Chrome or Edge 137, Firefox 130 on a computer, Safari 26, or newer, over https.';

/** Why in two or three words, for the button and for screen readers. */
const reasons: Record<Code, string> = {
  malformed_message: 'not understood',
  message_too_large: 'message too large',
  malformed_frame: 'voice not understood',
  hello_expected: 'not understood',
  already_greeted: 'connected twice',
  too_many_messages: 'too fast',
  too_much_voice: 'too much voice',
  talk_limit: 'talk limit',
  unknown_channel: 'no such channel',
  not_tuned: 'not tuned in yet',
  channel_full: 'channel full',
  too_many_channels: 'too many channels',
  no_room_for_channel: 'no room for a new channel',
  channel_busy: 'channel busy',
  resting: 'let others talk',
  speech_spent: 'let others talk',
  already_talking: 'you are talking already',
  burst_number_used: 'out of step',
  no_voice: 'nothing was heard',
  unknown_participant: 'no longer here',
  too_many_muted: 'too many muted',
  cell_refused: 'cell not accepted',
  location_needed: 'location needed',
  too_many_moves: 'moved too often',
  not_logged_in: 'not logged in',
  logged_out: 'logged out',
  erased: 'erased',
  foreign_origin: 'wrong address',
  unknown_subprotocol: 'page too old',
  upgrade_expected: 'no radio at this address',
  bad_signature: 'key not accepted',
  nonce_expired: 'log-in took too long',
  work_needed: 'many register here',
  not_registered: 'not registered',
  already_registered: 'registered already',
  handle_refused: 'handle not accepted',
  description_refused: 'description not accepted',
  contact_refused: 'message not accepted',
  too_many_contacts: 'too many messages wait',
  inbox_full: 'inbox full',
  server_full: 'server full',
  too_many_requests: 'too many tries',
  store_unavailable: 'server has a problem',
  not_found: 'nothing there',
  method_not_allowed: 'not possible here',
  stalled: 'connection stalled',
  replaced: 'too many devices',
  displaced: 'newer log-ins',
  going_away: 'server restarts',
  link_lost: 'link lost',
  unsupported: 'not possible here',
};

/** Why a burst ended, where it is worth a word. */
const endings: Record<EndReason, string> = {
  released: '',
  silent: 'fell silent',
  talk_limit: 'talk limit',
  courtesy: 'others wait',
  talker_lost: 'link lost',
  untuned: 'left the channel',
  out_of_range: 'out of range',
  going_away: 'server restarts',
};

export const en = {
  /** BCP 47. */
  language: 'en',
  product: 'Tenfour',

  welcome: {
    title: 'Choose a handle',
    lead: (host: string) => `It is the name others hear you by on ${host}.`,
    handle: 'Handle',
    handleHint: '1 to 24 letters, for example Roadrunner',
    description: 'About you (optional)',
    descriptionHint: 'One line that others see, for example truck, Koper to Graz',
    left: (n: number) => `${n} left`,
    over: (n: number) => (n === 1 ? '1 too many' : `${n} too many`),
    kept: 'Kept here: your handle and, if you like, the line about you; for 30 days at most, when you connected, from which address and on what device; for 90, what you write to the operator. Voice is gone in seconds.',
    privacy: 'All that is kept, and how we prove it',
    go: 'Go on the air',
    going: 'Registering…',
    haveKey: 'I have a key file',
    keyIsNew: 'Your key is in this browser now. It is new here: choose a handle for it.',
    failed: {
      message: 'That did not work: the server could not be reached.',
      hint: 'Check your connection and try again; nothing was saved.',
    },
  },

  link: {
    label: 'Link',
    unregistered: 'not registered',
    connecting: 'connecting',
    slow: 'The server has not answered yet. The page keeps trying.',
    on_the_air: 'on the air',
    coming_back: 'coming back',
    coming_back_in: (s: number) => `coming back in ${s} s`,
    gone: 'gone',
    retry: 'Try now',
    logIn: 'Log in again',
    goneTitle: 'The radio is off the air.',
    heard: {
      unregistered: 'choose a handle',
      connecting: 'connecting',
      on_the_air: 'link is up',
      coming_back: 'link lost, coming back by itself',
      gone: 'link is gone',
    },
  },

  channel: {
    label: (channel: string, name: string) => `Channel ${channel}${name ? `, ${name}` : ''}`,
    open: 'open channel',
    nameless: 'channel',
    lower: 'Lower channel',
    higher: 'Higher channel',
    choose: 'Choose a channel',
    tunedIn: (n: number) => `${n} tuned in`,
    tuning: 'tuning in…',
    offAir: 'not tuned in',
  },

  channels: {
    title: 'Channels',
    go: 'Go',
    find: 'Number or name',
    findHint: 'A new name makes a new channel.',
    bad: 'Use 1 to 40, or a name of letters, digits and hyphens that starts with a letter, like road-66.',
    recent: 'Lately',
    active: 'Named and in use',
    numbers: 'All numbers',
    people,
    share: 'Copy link to this channel',
    shared: 'Link copied',
    notShared: 'The link could not be copied. It is in the address bar.',
    dock: 'Channels',
  },

  range,
  place,
  signal,

  air: {
    title: 'The air',
    quiet: 'Quiet so far',
    quietHint: 'What is said on this channel shows up here. Hold the button to be the first.',
    quietOffline: 'Nothing is heard until the link is back.',
    you: 'You',
    next: 'next',
    onTheAir: 'on the air',
    ago: (s: number) => (s < 60 ? `${s} s ago` : `${Math.round(s / 60)} min ago`),
    opening: 'opening',
    refused: 'refused',
    missed: 'missed',
    seconds: (s: string) => `${s} s`,
    spokenSeconds: seconds,
    brokenUp: 'broken up',
    unheard: 'nobody could hear it',
    heardPart: (s: string, all: string) => `others could hear ${s} of ${all} s`,
    lostPart: (s: string, all: string) => `${s} of ${all} s could not be heard`,
    sayAgain: 'say again',
    /** The handle keeps its own direction of writing. */
    another: (handle: string, tag: string) =>
      `another \u2068${handle}\u2069: the one you heard before had the tag ${tag}`,
    gone: 'no longer in memory',
    onChannel: (channel: string) => `channel ${channel}`,
    latest: 'Latest',
  },

  people: {
    title: (n: number) => `${n} tuned in`,
    dock: 'People',
    list: 'People on this channel',
    you: 'you',
    alone: 'Only you so far. Share the link to the channel and it fills up.',
    unknown: 'Not tuned in, so nobody can be listed.',
    mute: (handle: string, tag: string) => `Mute ${handle} ${tag}`,
    unmute: (handle: string, tag: string) => `Unmute ${handle} ${tag}`,
    muted: 'muted',
    page: (page: number, pages: number) => `Page ${page} of ${pages}`,
    previous: 'Previous page',
    following: 'Next page',
  },

  talk: {
    label: 'Talk',
    hold: 'Hold to talk',
    tap: 'Tap to talk',
    key: (key: string) => `or press ${key}`,
    release: 'release to end',
    tapToEnd: 'tap to end',
    heardNext: 'yours is heard next',
    opening: 'Opening',
    openingHint: 'you can talk already',
    waiting: 'Wait',
    waitingFor: { link: 'for the link', place: 'for your location', range: 'for your range' },
    onTheAir: 'On the air',
    asking: 'Microphone?',
    askingHint: 'your browser asks',
    askingCaption: 'Allow the microphone once. Nothing is sent before you press.',
    refused: 'Refused',
    refusedFor: (reason: string) => `Refused: ${reason}.`,
    tryIn: (s: number) => `try in ${s} s`,
    tryNow: 'try again now',
    noLink: 'No link',
    noLinkHint: 'nothing is sent',
    noLinkCaption: {
      unregistered: 'Choose a handle first.',
      connecting: 'The radio is connecting. It takes a moment; nothing is sent before.',
      on_the_air: 'The link was not there. Press again.',
      coming_back:
        'The link comes back by itself. A press waits two seconds for it, and is not sent later.',
      gone: 'The link is gone. See the line at the top for what to do.',
    },
    noMicrophone: 'No microphone',
    microphone: {
      refused: 'not allowed',
      missing: 'none found',
      unsupported: 'not in this browser',
      interrupted: 'in use elsewhere',
      broken: 'failed',
    },
    listening: 'Listening works.',
    secondsLeft: (s: number) => `${s} s left`,
    othersWait: (s: number) => `others wait: ${s} s left`,
    help: 'Hold to talk, let go to end. Space and Enter work other buttons while those have the focus.',
  },

  notices: {
    title: 'Notice',
    dismiss: 'Dismiss',
    reload: 'Reload the page',
    stray: (name: string) => `There is no channel \u2068${name}\u2069.`,
    notLoaded: 'This could not be loaded. Check your connection and reload the page.',
    tapToHear: 'Tap to hear',
    tapToHearHint: 'Your browser keeps the sound off until you touch the page.',
  },

  settings: {
    title: 'Settings',
    open: 'Settings',
    close: 'Close',
  },

  keys: { Space: 'space', none: 'none' } as Record<string, string>,

  /** Sentences of the live region. */
  spoken: {
    talking: (handle: string, tag: string, country: string) =>
      country ? `${handle} ${tag}, ${country}, talking` : `${handle} ${tag}, talking`,
    tuned: (channel: string, n: number) => `channel ${channel}, ${people(n)}`,
    ranged: (tx: string, rx: string) => `you reach ${tx}, you hear ${rx}`,
    onTheAir: 'you are on the air',
    refused: (reason: string) => `refused: ${reason}`,
    refusedUntil: (reason: string, s: number) => `refused: ${reason}, try in ${seconds(s)}`,
    missed: (n: number) => `${n} missed`,
    sent: 'sent',
    late: (part: string) => `your burst that the link cut: ${part}`,
    sentEarly: (reason: string) => `your burst was ended: ${reason}`,
  },

  reasons,
  endings,
};

/** The shape of a language. */
export type Text = typeof en;
