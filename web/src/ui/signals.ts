/** What happens in the radio, told to ear, hand and screen reader. */

import type { Radio, RadioEvent } from '../radio/model';
import type { Text } from '../text';
import { sentence } from './announce';
import type { Cues } from './cues';
import { captionOf } from './face';
import type { Touch } from './haptics';

export interface Senses {
  cues: Pick<Cues, 'play'>;
  vibrate: (touch: Touch) => void;
  say: (sentence: string) => void;
}

/** Connects the radio's events to the senses; returns how to stop. */
export function signals(radio: Radio, senses: Senses, text: Text): () => void {
  const stopEvents = radio.on((event) => {
    cue(event, senses.cues, isVoiceHeard(radio));
    touch(event, senses.vibrate);
    const words = sentence(event, text);
    if (words) senses.say(words);
  });
  const stopMicrophone = microphoneSignals(radio, senses, text);
  return () => {
    stopEvents();
    stopMicrophone();
  };
}

/** The microphone has states, not events: each new one is told. */
function microphoneSignals(radio: Radio, senses: Senses, text: Text): () => void {
  let { button, microphone } = radio.state;
  return radio.subscribe((state) => {
    if (state.microphone === 'asking' && microphone !== 'asking') {
      senses.say(text.talk.askingCaption);
    }
    if (state.button.state === 'no_microphone' && state.button !== button) {
      senses.cues.play('deny', isVoiceHeard(radio));
      senses.vibrate('deny');
      senses.say(captionOf(state, text));
    }
    ({ button, microphone } = state);
  });
}

function isVoiceHeard(radio: Radio): boolean {
  return radio.state.air.some((burst) => burst.state === 'playing');
}

function cue(event: RadioEvent, cues: Senses['cues'], voiceHeard: boolean): void {
  switch (event.type) {
    case 'permit':
    case 'deny':
    case 'roger':
    case 'incoming':
      cues.play(event.type, voiceHeard);
      break;
    case 'sent':
    case 'tuned':
    case 'location':
    case 'ranged':
    case 'link':
      break;
  }
}

function touch(event: RadioEvent, vibrate: Senses['vibrate']): void {
  if (event.type === 'permit') vibrate('permit');
  else if (event.type === 'deny') vibrate('deny');
  else if (event.type === 'sent' && event.ended !== 'released') vibrate('deny');
  else if (event.type === 'sent') vibrate('end');
}
