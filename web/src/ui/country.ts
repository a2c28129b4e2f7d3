/** Country names and flags from ISO 3166-1 codes, by the browser's own tables. */

import { text } from '../text';

const names =
  typeof Intl.DisplayNames === 'function'
    ? new Intl.DisplayNames([text.language], { type: 'region', fallback: 'none' })
    : null;

/** Name in the language of the page; the code itself when the browser knows none. */
export function countryName(code: string): string {
  try {
    return names?.of(code) ?? code;
  } catch {
    return code;
  }
}

/** The flag as two regional indicators. */
export function countryFlag(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return '';
  const A = 0x1f1e6;
  return String.fromCodePoint(...[...code].map((letter) => A + letter.charCodeAt(0) - 65));
}
