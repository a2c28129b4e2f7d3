/** The words of a burst's row. */

import type { Burst, Part } from '../radio/model';
import type { Text } from '../text';
import { countryName } from './country';
import { lengthInSeconds } from './time';

/** The short word at the end of the row. */
export function burstWord(burst: Burst, text: Text): string {
  const air = text.air;
  switch (burst.state) {
    case 'waiting':
      return air.next;
    case 'playing':
      return burst.late === undefined ? air.onTheAir : air.ago(Math.round(burst.late / 1000));
    case 'talking':
      return air.onTheAir;
    case 'refused':
      return air.refused;
    case 'missed':
      return air.missed;
    case 'played':
    case 'sent':
      return air.seconds(lengthInSeconds(burst.length));
  }
}

/** What did not go well, in one or two words, empty when all did. */
export function burstTrouble(burst: Burst, text: Text): string {
  const cut = burst.ended ? text.endings[burst.ended] : '';
  const dropped = burst.dropped ? text.reasons[burst.dropped] : '';
  return cut || dropped || (burst.gaps > 0 ? text.air.brokenUp : '');
}

/** How much of what one said others could hear. */
export function partWords({ heard, length, late }: Part, { air }: Text): string {
  // Rounded up: what was lost is never told as nothing.
  const lost = Math.ceil((length - heard) / 100) * 100;
  if (heard === 0) return air.unheard;
  const all = lengthInSeconds(length);
  return late
    ? air.heardPart(lengthInSeconds(heard), all)
    : air.lostPart(lengthInSeconds(lost), all);
}

/** True when a touch says it again. */
export function canSayAgain(burst: Burst): boolean {
  // A missed burst may still be coming in; only a whole one is said again.
  const missed = burst.state === 'missed' && burst.ended !== undefined;
  return burst.replayable && (missed || burst.state === 'played' || burst.state === 'sent');
}

/** True when there is a signal to show, or it is worth a sign that there is none. */
export function hasSignal(burst: Burst, located: boolean): boolean {
  return !burst.own && (burst.grade !== undefined || located);
}

/** The row in one sentence, for a screen reader. `located`: a location is shared. */
export function burstSentence(burst: Burst, channel: string, located: boolean, text: Text): string {
  const air = text.air;
  const { handle, tag, country } = burst.talker;
  const ended = burst.state === 'played' || burst.state === 'sent';
  return [
    burst.own ? air.you : `${handle} ${tag}`,
    country && !burst.own ? countryName(country) : '',
    burst.channel === channel ? '' : air.onChannel(burst.channel),
    hasSignal(burst, located) ? signalWords(burst, text) : '',
    ended
      ? air.spokenSeconds(Math.max(1, Math.round(burst.length / 1000)))
      : burstWord(burst, text),
    burstTrouble(burst, text),
    burst.part ? partWords(burst.part, text) : '',
    burst.another ? air.another(handle, burst.another) : '',
    canSayAgain(burst) ? air.sayAgain : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function signalWords({ grade }: Burst, text: Text): string {
  return grade === undefined ? text.signal.unknown : text.signal.grade(grade);
}
