/**
 * Who was heard before, to notice a handle that comes with another tag. In the memory of this page, and
 * nowhere else.
 */

import type { Person } from '../gen/Person';

/** The look of a handle, and the tag that was heard with it first. The oldest first. */
export type Known = ReadonlyMap<string, string>;

/** Looks that are remembered; then the oldest goes. */
const KNOWN = 1000;

/** Letters of Greek and Cyrillic, and numerals, that are drawn like the Latin letter above them. */
const ALIKE: [letters: string, like: string][] = [
  ['АВЕЅІЈКМНОРСТХУ', 'abesijkmhopctxy'],
  ['аеѕіјорсухԁһ', 'aesijopcyxdh'],
  ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'abezhikmnoptyx'],
  ['ονρ', 'ovp'],
  ['01|', 'oll'],
];
const LIKE = new Map(
  ALIKE.flatMap(([letters, like]) => [...letters].map((letter, at) => [letter, like[at] ?? ''])),
);

/**
 * What two handles have in common that are easily taken for each other: NFKC, no capitals, no spaces, and
 * the letters of a short table as the Latin ones they are drawn like, with `i` as `l`. This is less than
 * the confusables of Unicode, by which the server judges handles of the same tag.
 */
export function look(handle: string): string {
  const drawn = [...handle.normalize('NFKC')].map((letter) => LIKE.get(letter) ?? letter).join('');
  return [...drawn.toLowerCase().normalize('NFKC')]
    .map((letter) => LIKE.get(letter) ?? letter)
    .join('')
    .replaceAll(/\s/g, '')
    .replaceAll('i', 'l');
}

/** The tag of somebody else who was heard first with a handle of this look. */
export function another(known: Known, { handle, tag }: Person): string | undefined {
  const first = known.get(look(handle));
  return first === tag ? undefined : first;
}

/** With this person, unless somebody of this look is known. */
export function withHeard(known: Known, { handle, tag }: Person): Known {
  const seen = look(handle);
  if (known.has(seen)) return known;
  const [oldest] = known.keys();
  const more = new Map(known);
  if (oldest !== undefined && known.size >= KNOWN) more.delete(oldest);
  return more.set(seen, tag);
}
