/** English for range, place and signal. */

import type { Range } from '../gen/Range';
import type { SignalGrade } from '../gen/SignalGrade';
import type { LocationLost } from '../radio/model';

const everybody = 'You reach and hear everybody now.';

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

const lost: Record<LocationLost, { message: string; hint: string }> = {
  revoked: {
    message: 'Your location is no longer shared: the browser took its permission back.',
    hint: everybody,
  },
  unavailable: {
    message: 'Your location could not be found.',
    hint: `${everybody} Touch the range to try again.`,
  },
  cell_refused: {
    message: 'The server did not take your cell.',
    hint: `${everybody} Touch the range to try again.`,
  },
  too_many_moves: {
    message: 'Your location changed too often for the server.',
    hint: `${everybody} Touch the range to try again in an hour.`,
  },
  location_needed: {
    message: 'The server no longer knows your location.',
    hint: `${everybody} Touch the range to share it again.`,
  },
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
  minutes: (n: number) => (n < 1 ? 'less than a minute' : `${n} min`),
  share: 'Share',
  stop: 'Stop',
  stopLabel: 'Stop sharing your location',
  allow: 'How to allow',
  why: 'Why',
  lost,
  sheet: {
    title: 'Range needs a place',
    lead: 'Two radios hear each other when they are within the range of both. For that the server has to know roughly where you are.',
    points: [
      {
        title: 'What is sent',
        body: 'The number of a cell of about 36 km². This browser works it out; your position never leaves it.',
      },
      {
        title: 'What is kept',
        body: 'That cell, in the server’s memory, while you are connected. A new one takes effect every 15 minutes at most. You can stop at any time.',
      },
      {
        title: 'What others see',
        body: 'Your country. Those who share a cell, too, see a coarse signal meter.',
      },
      {
        title: 'If you refuse',
        body: 'Everything works on unlimited range. You are asked again only when you touch the range.',
      },
    ],
    share: 'Share my cell',
    not: 'Not now',
    deniedTitle: 'Location is denied',
    denied:
      'Your browser refuses this page the location. Everything works, but on unlimited range only.',
    deniedHow:
      'To allow it, open the sign beside the address, set Location to Allow, and touch the range again.',
    unsupportedTitle: 'No location here',
    unsupported:
      'This browser gives this page no location. Everything works, but on unlimited range only.',
    unsupportedHow: 'Open the page over https in a current browser to use a range.',
    close: 'Close',
  },
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
