/** The words of a location: one sentence, and what one tap does about it. */

import type { Location } from '../radio/model';
import type { Text } from '../text';

export interface LocationLine {
  sentence: string;
  /** Who sees what of it; left away where there is little room. */
  aside?: string;
  /** On the button; empty where there is nothing to do. */
  act: string;
  /** The button for a screen reader, where its word alone is too short. */
  label?: string;
}

/** The line at a moment (`performance.now()`). */
export function locationLine(
  location: Location,
  now: number,
  text: Text,
  nameOf: (country: string) => string,
): LocationLine {
  const words = text.place;
  switch (location.state) {
    case 'not_shared':
      return { sentence: words.not_shared, act: words.share };
    case 'asking':
      return { sentence: words.asking, act: '' };
    case 'denied':
      return { sentence: words.denied, act: words.allow };
    case 'unsupported':
      return { sentence: words.unsupported, act: words.why };
    case 'shared': {
      const { inForce, country, effectiveAt } = location;
      const time = effectiveAt === undefined ? '' : words.minutes(minutesUntil(effectiveAt, now));
      const act = { act: words.stop, label: words.stopLabel };
      if (!inForce) return { sentence: time ? words.laterIn(time) : words.later, ...act };
      const sentence = time ? words.newIn(time) : words.shared;
      const aside = country ? words.othersSee(nameOf(country)) : '';
      return { sentence, ...act, ...(aside && { aside }) };
    }
  }
}

/** Whole minutes, rounded up so that they never promise too much; 0 in the last one. */
function minutesUntil(moment: number, now: number): number {
  const ms = moment - now;
  return ms <= 60_000 ? 0 : Math.ceil(ms / 60_000);
}
