/** Words about the key that is taken along: loaded by who does that, and by nobody else. */

import { text } from '.';
import { type KeyText, key } from './en.key';

/** Every language, by its BCP 47 primary tag. */
export const keyLanguages: Record<string, KeyText> = { en: key };

/** In the language of the page. */
export const keyText: KeyText = keyLanguages[text.language] ?? key;
