/** The language of the page: the first wish of the browser that we have, else English. */

import { en, type Text } from './en';

export type { Text };

/** Every language, by its BCP 47 primary tag. */
export const languages: Record<string, Text> = { en };

/** Picks a language for a list of wishes, e.g. `navigator.languages`. */
export function pick(wishes: readonly string[]): Text {
  for (const wish of wishes) {
    const found = languages[wish.split('-')[0]?.toLowerCase() ?? ''];
    if (found) return found;
  }
  return en;
}

/** The words of the page. */
export const text: Text = pick(globalThis.navigator?.languages ?? []);
