/** Seven-segment numerals: which segments are lit for a digit, and where they lie. */

export type Segment = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g';

/** Lit segments of each digit; a space lights none. */
const LIT: Record<string, string> = {
  '0': 'abcdef',
  '1': 'bc',
  '2': 'abdeg',
  '3': 'abcdg',
  '4': 'bcfg',
  '5': 'acdfg',
  '6': 'acdefg',
  '7': 'abc',
  '8': 'abcdefg',
  '9': 'abcdfg',
  ' ': '',
};

/** Outlines in a box of 36 x 64 units. */
export const OUTLINES: Record<Segment, string> = {
  a: '6,2 10,0 26,0 30,2 25,7 11,7',
  b: '31,3.5 35,7 35,27 32.5,30.5 28,26 28,9',
  c: '32.5,33.5 35,37 35,57 31,60.5 28,55 28,38',
  d: '6,62 11,57 25,57 30,62 26,64 10,64',
  e: '3.5,33.5 8,38 8,55 5,60.5 1,57 1,37',
  f: '5,3.5 8,9 8,26 3.5,30.5 1,27 1,7',
  g: '5,32 10,28.5 26,28.5 31,32 26,35.5 10,35.5',
};

/** Size of the box of one digit. */
export const DIGIT = { width: 36, height: 64 };

/** Lit segments of one character; `null` when it has no form. */
export function litSegments(character: string): Set<Segment> | null {
  const lit = LIT[character];
  return lit === undefined ? null : new Set([...lit] as Segment[]);
}

/** A channel as two numerals, blank in front; `null` for a named channel. */
export function numerals(channel: string): [string, string] | null {
  if (!/^\d{1,2}$/.test(channel)) return null;
  const padded = channel.padStart(2, ' ');
  return [padded.charAt(0), padded.charAt(1)];
}
