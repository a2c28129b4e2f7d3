/**
 * The sentences for refusals. They are loaded once the page has reached its server, so that they are there
 * when it does not any more; until then a reason in two or three words stands in.
 */

import type { Refusal } from '../radio/refusal';
import type { Fault } from '../radio/source';
import { text } from '.';
import type { Words } from './en.refusals';

type Sentences = typeof import('./en.refusals');

/** Every language, by its BCP 47 primary tag. */
export const refusalLanguages: Record<string, () => Promise<Sentences>> = {
  en: () => import('./en.refusals'),
};

let sentences = $state.raw<Sentences | null>(null);

export async function loadRefusals(): Promise<void> {
  try {
    sentences ??= (await refusalLanguages[text.language]?.()) ?? null;
  } catch {
    // Without a link they cannot be had; who needs them next tries again.
  }
}

/** What happened, and what to do. */
export function refusalWords({ code, as }: Refusal): Words {
  if (sentences) return as ? sentences.situations[as] : sentences.refusals[code];
  void loadRefusals();
  return { message: text.talk.refusedFor(text.reasons[code]), hint: '' };
}

/** Why nobody hears the person, and what to do. */
export function faultWords(why: Fault): string {
  if (!sentences) void loadRefusals();
  return sentences?.faults[why] ?? '';
}
