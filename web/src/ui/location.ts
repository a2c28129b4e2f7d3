/** The words of a location: one sentence, and what one tap does about it. */

import type { Ranges } from '../gen/Ranges';
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
  /** Presses are refused until the range can be had, or is another one. */
  held: boolean;
}

/** The line at a moment (`performance.now()`), with the ranges that were chosen. */
export function locationLine(
  location: Location,
  { tx }: Ranges,
  now: number,
  text: Text,
  nameOf: (country: string) => string,
): LocationLine {
  const words = text.place;
  const km = text.range.value[tx];
  const held = tx !== 'unlimited';
  switch (location.state) {
    case 'not_shared':
      return {
        sentence: held ? words.held.not_shared(km) : words.not_shared,
        act: words.share,
        held,
      };
    case 'asking':
      return { sentence: words.asking, act: '', held };
    case 'denied':
      return held
        ? { sentence: words.held.denied(km), act: words.how, label: words.allow, held }
        : { sentence: words.denied, act: words.allow, held };
    case 'unsupported':
      return {
        sentence: held ? words.held.unsupported(km) : words.unsupported,
        act: words.why,
        held,
      };
    case 'shared': {
      const { inForce, country, effectiveAt } = location;
      // When a cell that was refused is taken, nobody knows.
      const known = effectiveAt !== undefined && !location.lost;
      const time = known ? words.minutes(minutesUntil(effectiveAt, now)) : '';
      const act = { act: words.stop, label: words.stopLabel };
      if (!inForce) {
        const open = time ? words.laterIn(time) : words.later;
        const kept = time ? words.held.laterIn(km, time) : words.held.later(km);
        return { sentence: held ? kept : open, ...act, held };
      }
      const sentence = time ? words.newIn(time) : words.shared;
      const aside = country ? words.othersSee(nameOf(country)) : '';
      return { sentence, ...act, ...(aside && { aside }), held: false };
    }
  }
}

/** Whole minutes, rounded up so that they never promise too much; 0 in the last one. */
function minutesUntil(moment: number, now: number): number {
  const ms = moment - now;
  return ms <= 60_000 ? 0 : Math.ceil(ms / 60_000);
}
