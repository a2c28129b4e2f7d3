/** States of the radio worth looking at, by name. */

import type { RadioState } from '../../radio/model';
import type { Refusal } from '../../radio/refusal';
import { burst, fox, heron, idle, me, oak, roadrunner, tunedTo } from './scriptedRadio';

const channels = [
  { channel: '9', label: 'Emergency', count: 14 },
  { channel: '16', count: 41 },
  { channel: '19', label: 'Calling', count: 312 },
  { channel: '27', label: 'Highway north', count: 88 },
  { channel: '31', count: 5 },
  { channel: 'night-shift-graz-maribor', count: 23 },
];
const full: Refusal = {
  code: 'channel_full',
};
const busy: Refusal = {
  code: 'channel_busy',
  retry_after_ms: 5000,
};
const needsPlace: Refusal = { code: 'location_needed' };
const near = { tx: '10km', rx: 'unlimited' } as const;
const handleRefused: Refusal = {
  code: 'handle_refused',
};
const going: Refusal = {
  code: 'server_full',
};

const impostor = { id: 6, handle: 'ROADRUNNER', tag: '9xyz', country: 'RS' };
const longHandle = {
  id: 9,
  handle: 'Wolfgang Amadeus Mozarté',
  tag: 'w0lf',
  country: 'BA',
  description:
    'A very long line about oneself that goes on and on, over several lines of the list, up to the limit of one hundred and forty letters, yes.',
};
const emojiHandle = {
  id: 10,
  handle: '🚚🚛🛻🚙🚗🚕🚌🚎🏎️🚓🚑🚒🚐🛵🏍️🚲🛴🚨🚔🚍🚘🚖🚡🚠',
  tag: 'tr0k',
  country: 'GB',
};
const arabic = {
  id: 11,
  handle: 'صقر الصحراء',
  tag: 'sqr1',
  country: 'SA',
  description: 'على الطريق',
};

function crowd(n: number) {
  const words = [
    'Amber',
    'Birch',
    'Copper',
    'Delta',
    'Echo',
    'Falcon',
    'Granite',
    'Harbour',
    'Indigo',
    'Juniper',
  ];
  const homes = ['SI', 'HR', 'AT', 'IT', 'RS', undefined, 'HU', 'DE'];
  return Array.from({ length: n }, (_, i) => {
    const country = homes[i % homes.length];
    return {
      id: 100 + i,
      handle: `${words[i % words.length]} ${words[(i * 7 + 3) % words.length]} ${i}`,
      tag: (0x9f31 + i * 77).toString(36).padStart(4, 'a').slice(-4),
      ...(country ? { country } : {}),
      ...(i % 3 === 0 ? { description: 'listening mostly' } : {}),
    };
  });
}

const spoken = [burst(fox, 2), burst(roadrunner, 9), burst(heron, 4), burst(oak, 12)];

export const scenes: Record<string, () => Partial<RadioState>> = {
  idle: () => ({ channels, air: spoken, recent: ['19', '7', '33', 'night-shift-graz-maribor'] }),
  quiet: () => ({ channels, tuned: { '19': tunedTo('19', [me], 'Calling') } }),
  hearing: () => ({
    channels,
    air: [
      burst(fox, 2),
      burst(heron, 4),
      burst(roadrunner, 6, { state: 'playing', replayable: false }),
      burst(oak, 3, { state: 'waiting', replayable: false }),
    ],
  }),
  another: () => ({
    channels,
    known: new Map([['roadrunner', 'k7f2']]),
    tuned: { '19': tunedTo('19', [me, heron, roadrunner, impostor, oak], 'Calling') },
    air: [
      burst(oak, 3),
      burst(roadrunner, 9),
      burst(heron, 4),
      burst(impostor, 2, { another: roadrunner.tag }),
    ],
  }),
  partly: () => ({
    channels,
    air: [
      burst(oak, 3),
      burst(me, 8.4, {
        own: true,
        state: 'sent',
        dropped: 'too_much_voice',
        part: { heard: 7600, length: 8400, late: false },
      }),
      burst(heron, 4),
      burst(me, 8.4, {
        own: true,
        state: 'sent',
        ended: 'talker_lost',
        part: { heard: 3200, length: 8400, late: true },
      }),
    ],
  }),
  located: () => ({
    channels,
    location: { state: 'shared', inForce: true, country: 'RS' },
    ranges: { tx: '25km', rx: '50km' },
    air: [
      burst(fox, 2),
      burst(oak, 4, { grade: 2 }),
      burst(heron, 4, { grade: 5 }),
      burst(roadrunner, 6, { state: 'playing', replayable: false, grade: 3 }),
    ],
  }),
  pending: () => ({
    channels,
    location: { state: 'shared', inForce: false, effectiveAt: performance.now() + 8.4 * 60_000 },
    ranges: { tx: '25km', rx: '25km' },
    air: spoken,
  }),
  moving: () => ({
    channels,
    location: {
      state: 'shared',
      inForce: true,
      country: 'RS',
      effectiveAt: performance.now() + 9_000,
    },
    ranges: { tx: '1000km', rx: '10km' },
    air: spoken,
  }),
  denied: () => ({ channels, location: { state: 'denied' }, air: spoken }),
  revoked: () => ({
    channels,
    location: { state: 'denied', lost: 'revoked' },
    ranges: near,
    air: spoken,
  }),
  notshared: () => ({ channels, ranges: near, air: spoken }),
  waiting: () => ({
    channels,
    microphone: 'ready',
    location: { state: 'asking' },
    ranges: near,
    button: { state: 'waiting' },
    air: spoken,
  }),
  withheld: () => ({
    channels,
    microphone: 'ready',
    ranges: near,
    button: { state: 'refused', refusal: needsPlace, until: performance.now() + 3000 },
    air: spoken,
  }),
  usedup: () => ({
    channels,
    location: {
      state: 'shared',
      inForce: false,
      lost: 'too_many_moves',
      effectiveAt: performance.now() + 8.4 * 60_000,
    },
    ranges: near,
    button: {
      state: 'refused',
      refusal: { ...needsPlace, code: 'too_many_moves' },
      until: performance.now() + 3000,
    },
    air: spoken,
  }),
  talking: () => ({
    channels,
    microphone: 'ready',
    button: { state: 'talking', since: performance.now() - 7200, limit: 60000, granted: true },
    air: [...spoken.slice(1), burst(me, 7, { own: true, state: 'talking', replayable: false })],
  }),
  opening: () => ({
    channels,
    microphone: 'ready',
    button: { state: 'talking', since: performance.now(), limit: 60000, granted: false },
    air: spoken,
  }),
  near: () => ({
    channels,
    microphone: 'ready',
    button: { state: 'talking', since: performance.now() - 53000, limit: 60000, granted: true },
    air: [...spoken, burst(me, 53, { own: true, state: 'talking', replayable: false })],
  }),
  others: () => ({
    channels,
    microphone: 'ready',
    button: {
      state: 'talking',
      since: performance.now() - 9000,
      limit: 16000,
      granted: true,
      others: true,
    },
    air: [...spoken, burst(me, 9, { own: true, state: 'talking', replayable: false })],
  }),
  refused: () => ({
    channels,
    button: { state: 'refused', refusal: busy, until: performance.now() + 5000 },
    air: [...spoken, burst(me, 1, { own: true, state: 'refused', replayable: false })],
  }),
  nolink: () => ({
    channels,
    link: { state: 'coming_back', retryAt: performance.now() + 4000, why: 'lost' },
    button: { state: 'no_link' },
    air: [...spoken, burst(heron, 3, { ended: 'talker_lost', gaps: 14 })],
  }),
  gone: () => ({
    link: { state: 'gone', refusal: going },
    button: { state: 'no_link' },
    tuned: {},
    air: [],
  }),
  nomic: () => ({
    channels,
    microphone: 'refused',
    button: { state: 'no_microphone', why: 'refused' },
    air: spoken,
  }),
  asking: () => ({ channels, microphone: 'asking', air: spoken }),
  barred: () => ({
    channels,
    link: { state: 'coming_back', retryAt: performance.now() + 8000, why: 'barred' },
    button: { state: 'no_link' },
  }),
  deaf: () => ({ channels, air: spoken, trouble: 'no_voice' }),
  broken: () => ({ channels, air: spoken, trouble: 'sound' }),
  notices: () => ({ channels, air: spoken, notice: full, soundBlocked: true }),
  long: () => ({
    channels,
    channel: 'night-shift-graz-maribor-koper-1',
    tuned: {
      'night-shift-graz-maribor-koper-1': tunedTo('night-shift-graz-maribor-koper-1', [
        me,
        longHandle,
        emojiHandle,
        arabic,
      ]),
    },
    me: { user: 'w', tag: 'w0lf', handle: longHandle.handle },
    host: 'a-rather-long-host-name.radio.example:27185',
    muted: [10],
    air: [
      burst(arabic, 9, { channel: 'night-shift-graz-maribor-koper-1' }),
      burst(emojiHandle, 60, { channel: 'night-shift-graz-maribor-koper-1', ended: 'talk_limit' }),
      burst(longHandle, 4, { channel: '9', gaps: 3 }),
      burst(longHandle, 4, { channel: 'night-shift-graz-maribor-koper-1', state: 'playing' }),
    ],
  }),
  crowd: () => ({
    channels,
    tuned: { '19': tunedTo('19', [me, heron, roadrunner, oak, fox, ...crowd(295)], 'Calling') },
    air: Array.from({ length: 50 }, (_, i) =>
      burst([heron, oak, fox, roadrunner][i % 4] ?? oak, (i % 9) + 1),
    ),
    muted: [2, 100],
  }),
  first: () => ({ ...idle(), me: null, self: null, link: { state: 'unregistered' }, tuned: {} }),
  firstqueued: () => ({
    ...idle(),
    me: null,
    self: null,
    link: { state: 'unregistered' },
    queued: { what: 'turn', since: performance.now() - 2_000, until: performance.now() + 12_000 },
    tuned: {},
  }),
  firstworking: () => ({
    ...idle(),
    me: null,
    self: null,
    link: { state: 'unregistered' },
    queued: { what: 'work', share: 0.4 },
    tuned: {},
  }),
  backqueued: () => ({
    channels,
    link: { state: 'coming_back', retryAt: performance.now(), why: 'lost' },
    queued: { what: 'turn', since: performance.now() - 2_000, until: performance.now() + 12_000 },
    button: { state: 'no_link' },
    air: spoken,
  }),
  firstrefused: () => ({
    ...idle(),
    me: null,
    self: null,
    link: { state: 'unregistered' },
    tuned: {},
  }),
};

export { handleRefused };
