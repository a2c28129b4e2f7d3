/** English for range, place and signal. */

import type { Range } from '../gen/Range';
import type { SignalGrade } from '../gen/SignalGrade';
import type { LocationLost } from '../radio/model';

const value: Record<Range, string> = {
  '10km': '10 km',
  '25km': '25 km',
  '50km': '50 km',
  '100km': '100 km',
  '250km': '250 km',
  '500km': '500 km',
  '1000km': '1000 km',
  unlimited: 'everybody',
};

/** What a step is, to somebody who does not think in kilometres. */
const meaning: Record<Range, string> = {
  '10km': 'your town',
  '25km': 'your town and around',
  '50km': 'the next towns',
  '100km': 'an hour by road',
  '250km': 'your part of the country',
  '500km': 'across a country',
  '1000km': 'several countries',
  unlimited: 'no limit',
};

export const range = {
  title: 'Range',
  transmit: 'Transmit range',
  receive: 'Receive range',
  tx: 'TX',
  rx: 'RX',
  reach: 'You reach',
  hear: 'You hear',
  value,
  meaning,
  /** Marks of the scale, in km. */
  mark: {
    '10km': '10',
    '25km': '25',
    '50km': '50',
    '100km': '100',
    '250km': '250',
    '500km': '500',
    '1000km': '1000',
    unlimited: '∞',
  } as Record<Range, string>,
  valueText: (step: Range) => `${value[step]}, ${meaning[step]}`,
};

const again = 'It is tried again at the next quarter of an hour.';

const lost: Record<LocationLost, { message: string; hint: string }> = {
  revoked: {
    message: 'Your location is no longer shared: the browser took its permission back.',
    hint: 'Your range stays.',
  },
  unavailable: {
    message: 'Your location could not be found.',
    hint: 'Share it to try again.',
  },
  cell_refused: { message: 'The server did not take your cell.', hint: again },
  too_many_moves: { message: 'Your location changed too often for the server.', hint: again },
};

export const place = {
  not_shared: 'Location not shared: you reach and hear everybody.',
  asking: 'Finding your cell; your browser may ask.',
  shared: 'Located in a cell of about 36 km², known to the server’s memory only.',
  later: 'Your cell is not in force yet: until then you reach and hear everybody.',
  laterIn: (time: string) =>
    `Your cell takes effect in ${time}; until then you reach and hear everybody.`,
  newIn: (time: string) => `Located. A new cell takes effect in ${time}.`,
  othersSee: (country: string) => `Others see ${country}.`,
  denied: 'Denied in the browser: range stays unlimited.',
  unsupported: 'No location in this browser: range stays unlimited.',
  /** While a limited range was chosen and cannot be had. */
  held: {
    not_shared: (km: string) => `To talk within ${km}, share your location.`,
    later: (km: string) => `You can talk within ${km} when your cell is in force.`,
    laterIn: (km: string, time: string) => `You can talk within ${km} in ${time}.`,
    denied: (km: string) => `To talk within ${km}, allow your location.`,
    unsupported: (km: string) => `To talk within ${km}, use another browser.`,
  },
  everybody: 'Everybody',
  everybodyLabel: 'Reach and hear everybody',
  minutes: (n: number) => (n < 1 ? 'less than a minute' : `${n} min`),
  share: 'Share',
  stop: 'Stop',
  stopLabel: 'Stop sharing your location',
  allow: 'How to allow',
  how: 'How',
  why: 'Why',
  lost,
};

const grades: Record<SignalGrade, string> = {
  5: 'within 10 km',
  4: 'within 25 km',
  3: 'within 50 km',
  2: 'within 100 km',
  1: 'within 250 km',
  0: 'beyond 250 km',
};

export const signal = {
  grade: (grade: SignalGrade) => `S${grade}, ${grades[grade]}`,
  unknown: 'distance unknown',
};
