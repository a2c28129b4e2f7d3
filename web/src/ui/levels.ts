/** The level curve of a burst as bars. */

/** Bars across the whole width of a row. */
export const BARS = 48;

/**
 * Brings levels (0..1) to at most `bars` values by taking the loudest of each piece, so that a
 * short word stays visible in a long burst.
 */
export function bars(levels: readonly number[], count = BARS): number[] {
  if (levels.length <= count) return levels.map(clamp);
  const merged: number[] = [];
  for (let bar = 0; bar < count; bar += 1) {
    const from = Math.floor((bar * levels.length) / count);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * levels.length) / count));
    merged.push(clamp(Math.max(...levels.slice(from, to))));
  }
  return merged;
}

/** One SVG path of vertical strokes, one unit apart, around the middle of `height`. */
export function barPath(values: readonly number[], height: number): string {
  const middle = height / 2;
  return values
    .map((value, index) => {
      const half = Math.max(0.02, relief(value)) * (middle - 1);
      return `M${index + 0.5} ${(middle - half).toFixed(1)}V${(middle + half).toFixed(1)}`;
    })
    .join('');
}

/** Levels are on a scale of 50 dB, and speech lives in the 25 dB below -10 dBFS: that part is drawn. */
function relief(value: number): number {
  return clamp((value - 0.3) / 0.5);
}

function clamp(value: number): number {
  return Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
}
