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

/**
 * The flag as two regional indicators; empty where the system draws none, so that nobody gets
 * two boxes instead.
 */
export function countryFlag(code: string): string {
  if (!/^[A-Z]{2}$/.test(code) || !drawsFlags()) return '';
  const A = 0x1f1e6;
  return String.fromCodePoint(...[...code].map((letter) => A + letter.charCodeAt(0) - 65));
}

let flags: boolean | null = null;

/** A font with flags draws two indicators as one sign: not wider than one indicator by half. */
function drawsFlags(): boolean {
  if (flags === null) {
    const canvas = document.createElement('canvas').getContext('2d');
    const width = (signs: string) => canvas?.measureText(signs).width ?? 0;
    const one = width('\u{1f1f8}');
    flags = one > 0 && width('\u{1f1f8}\u{1f1ee}') < 1.5 * one;
  }
  return flags;
}
