/** Icons in a box of 24 units, drawn with round strokes of 2; `filled` parts are solid. */

interface Drawing {
  stroke: string;
  filled?: string;
}

const MIC = 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3Z';
const STAND = 'M6 11a6 6 0 0 0 12 0M12 17v4';

export const icons = {
  mic: { stroke: `${MIC}${STAND}` },
  micHeard: { stroke: `${MIC}${STAND}M3 6.5a8 8 0 0 0 0 7M21 6.5a8 8 0 0 1 0 7` },
  micLive: { stroke: `${STAND}M3 6.5a8 8 0 0 0 0 7M21 6.5a8 8 0 0 1 0 7`, filled: MIC },
  micOff: {
    stroke:
      'M9 9v2a3 3 0 0 0 4.6 2.5M15 11V6a3 3 0 0 0-5.8-1M6 11a6 6 0 0 0 9.2 5M18 11a6 6 0 0 1-.6 2.6M12 17v4M4 3l16 18',
  },
  micAsk: {
    stroke:
      'M9 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM3 11a6 6 0 0 0 12 0M9 17v4M17.4 5.2a2.4 2.4 0 1 1 3.4 2.2c-.8.4-1.1.9-1.1 1.7M19.7 12.4v.1',
  },
  wave: { stroke: 'M3 12h1M7 9v6M11 6v12M15 8v8M19 10v4' },
  linkOff: {
    stroke:
      'M9.5 6.5 11 5a4.2 4.2 0 0 1 6 6l-1.5 1.5M14.5 17.5 13 19a4.2 4.2 0 0 1-6-6l1.5-1.5M4 4l16 16',
  },
  stop: { stroke: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM5.7 5.7l12.6 12.6' },
  plus: { stroke: 'M12 5v14M5 12h14' },
  minus: { stroke: 'M5 12h14' },
  close: { stroke: 'M6 6l12 12M18 6 6 18' },
  settings: {
    stroke:
      'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5ZM9 14.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Z',
  },
  channels: { stroke: 'M4 6h.01M9 6h11M4 12h.01M9 12h11M4 18h.01M9 18h11' },
  people: {
    stroke:
      'M9 5a3.2 3.2 0 1 1 0 6.4A3.2 3.2 0 0 1 9 5ZM3 19c.4-3 2.6-4.8 6-4.8s5.6 1.8 6 4.8M16 5.3a3.2 3.2 0 0 1 0 5.8M18 14.8c1.7.8 2.7 2.2 3 4.2',
  },
  speaker: {
    stroke: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11',
  },
  speakerOff: { stroke: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5ZM16 9.5l5 5M21 9.5l-5 5' },
  again: { stroke: 'M5 12a7 7 0 1 0 2.2-5.1M5 4.5v3.5h3.5' },
  share: {
    stroke:
      'M9.5 14.5 14.5 9.5M8 11l-2.2 2.2a3.6 3.6 0 0 0 5 5L13 16M16 13l2.2-2.2a3.6 3.6 0 0 0-5-5L11 8',
  },
  pin: {
    stroke:
      'M12 21s-6.5-5.8-6.5-10.5a6.5 6.5 0 0 1 13 0C18.5 15.2 12 21 12 21ZM12 8a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Z',
  },
  check: { stroke: 'M5 12.5 10 17.5 19.5 7' },
  previous: { stroke: 'M15 5l-7 7 7 7' },
  next: { stroke: 'M9 5l7 7-7 7' },
  down: { stroke: 'M5 9l7 7 7-7' },
} satisfies Record<string, Drawing>;

export type IconName = keyof typeof icons;

/** Drawing of an icon. */
export function drawing(name: IconName): Drawing {
  return icons[name];
}
