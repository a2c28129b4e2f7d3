import { beforeAll, describe, expect, test } from 'vitest';
import type { RadioState } from '../radio/model';
import type { Refusal } from '../radio/refusal';
import { text } from '../text';
import { refusals, situations } from '../text/en.refusals';
import { loadRefusals, refusalWords } from '../text/refusals.svelte';
import { captionOf, type Face, faceOf, faceWords, talkClock } from './face';
import { burst, heron, idle, me } from './testing/scriptedRadio';

beforeAll(loadRefusals);

const manner = { latch: false, key: 'space', refusedAt: 1000 };
const busy: Refusal = { code: 'channel_busy', retry_after_ms: 5000 };

function face(change: Partial<RadioState>): Face {
  return faceOf({ ...idle(), ...change });
}

describe('the face of a state', () => {
  test('ready when nothing goes on', () => {
    expect(face({}).kind).toBe('ready');
  });

  test('hearing while somebody else is heard on the channel', () => {
    expect(face({ air: [burst(heron, 2, { state: 'playing' })] }).kind).toBe('hearing');
    expect(face({ air: [burst(heron, 2, { state: 'playing', channel: '9' })] }).kind).toBe('ready');
    expect(face({ air: [burst(me, 2, { state: 'playing', own: true })] }).kind).toBe('ready');
  });

  test('red only once the press is granted', () => {
    const button = { state: 'talking', since: 0, limit: 60_000 } as const;
    expect(face({ button: { ...button, granted: false } }).kind).toBe('opening');
    expect(face({ button: { ...button, granted: true } }).kind).toBe('talking');
  });

  test('no link is told also when the button did not hear of it', () => {
    const link = { state: 'coming_back', retryAt: 0, why: 'lost' } as const;
    expect(face({ link })).toEqual({ kind: 'no_link', link: 'coming_back' });
  });

  test('the browser asks for the microphone', () => {
    expect(face({ microphone: 'asking' }).kind).toBe('asking');
  });
});

describe('the words of a face', () => {
  test('a refusal counts down to when it may work again', () => {
    const refused: Face = { kind: 'refused', refusal: busy, until: 6000 };
    expect(faceWords(refused, manner, 1000, text).sub).toBe(text.talk.tryIn(5));
    expect(faceWords(refused, manner, 5200, text).sub).toBe(text.talk.tryIn(1));
    expect(faceWords(refused, manner, 6000, text).sub).toBe(text.talk.tryNow);
    expect(faceWords(refused, manner, 6000, text).caption).toBe(
      `${refusals.channel_busy.message} ${refusals.channel_busy.hint}`,
    );
  });

  test('the last ten seconds of a burst are counted', () => {
    const talking: Face = { kind: 'talking', since: 0, limit: 60_000 };
    expect(faceWords(talking, manner, 49_000, text).sub).toBe(text.talk.release);
    expect(faceWords(talking, manner, 50_000, text).sub).toBe(text.talk.secondsLeft(10));
    expect(talkClock(talking, 49_999)).toBe('0:49');
  });

  test('while others wait every second is counted', () => {
    const talking: Face = { kind: 'talking', since: 0, limit: 20_000, others: true };
    expect(faceWords(talking, manner, 1_000, text).sub).toBe(text.talk.othersWait(19));
  });

  test.each(['refused', 'missing', 'unsupported', 'interrupted', 'broken'] as const)(
    'microphone %s says what to do, and that listening works only where it does',
    (why) => {
      const button = { state: 'no_microphone', why } as const;
      const caption = (trouble: RadioState['trouble']) =>
        captionOf({ ...idle(), button, trouble }, text);
      expect(caption(null).length).toBeGreaterThan(40);
      for (const trouble of [null, 'no_encoder', 'page'] as const) {
        expect(caption(trouble)).toContain(text.talk.listening);
      }
      for (const trouble of ['no_voice', 'no_decoder', 'sound'] as const) {
        expect(caption(trouble)).not.toContain(text.talk.listening);
      }
    },
  );

  test('a link that a proxy bars does not come back by itself, and the caption does not say so', () => {
    const link = { state: 'coming_back', retryAt: 0, why: 'barred' } as const;
    const button = { state: 'no_link' } as const;
    expect(captionOf({ ...idle(), link, button }, text)).toBe('');
  });

  test('what the page knows beyond the code is told', () => {
    expect(refusalWords(busy)).toEqual(refusals.channel_busy);
    expect(refusalWords({ ...busy, as: 'island' })).toEqual(situations.island);
  });
});
