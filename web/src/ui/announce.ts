/** Sentences of the live region: what a screen reader says when something happens. */

import type { RadioEvent } from '../radio/model';
import type { Text } from '../text';
import { partWords } from './burst';
import { countryName } from './country';
import { locationLine } from './location';

/** The sentence for an event; empty when it is better not to talk. */
export function sentence(event: RadioEvent, text: Text): string {
  const spoken = text.spoken;
  switch (event.type) {
    case 'permit':
      return spoken.onTheAir;
    case 'deny': {
      const reason = text.reasons[event.refusal.code];
      const after = event.refusal.retry_after_ms;
      return after === undefined
        ? spoken.refused(reason)
        : spoken.refusedUntil(reason, Math.max(1, Math.ceil(after / 1000)));
    }
    case 'incoming': {
      const { handle, tag, country } = event.talker;
      const talking = spoken.talking(handle, tag, country ? countryName(country) : '');
      return event.another ? `${talking}. ${text.air.another(handle, event.another)}` : talking;
    }
    case 'roger':
      return '';
    case 'missed':
      return spoken.missed(event.count);
    case 'sent':
      return [
        event.ended === 'released' ? spoken.sent : spoken.sentEarly(text.endings[event.ended]),
        ...(event.part ? [partWords(event.part, text)] : []),
      ].join('. ');
    case 'late':
      return spoken.late(partWords(event.part, text));
    case 'tuned':
      return spoken.tuned(event.channel, event.count);
    case 'location':
      return locationSentence(event, text);
    case 'ranged':
      return spoken.ranged(text.range.value[event.ranges.tx], text.range.value[event.ranges.rx]);
    case 'link':
      return text.link.heard[event.link.state];
  }
}

type LocationNews = Extract<RadioEvent, { type: 'location' }>;

function locationSentence({ location, ranges }: LocationNews, text: Text): string {
  if ('lost' in location && location.lost) {
    const { message, hint } = text.place.lost[location.lost];
    return `${message} ${hint}`;
  }
  return locationLine(location, ranges, performance.now(), text, countryName).sentence;
}
