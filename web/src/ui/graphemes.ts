/** Counts what a person counts as letters, as the server does. */

const segmenter =
  typeof Intl.Segmenter === 'function'
    ? new Intl.Segmenter(undefined, { granularity: 'grapheme' })
    : null;

export function graphemes(typed: string): number {
  if (!segmenter) return [...typed].length;
  let count = 0;
  for (const _ of segmenter.segment(typed)) count += 1;
  return count;
}
