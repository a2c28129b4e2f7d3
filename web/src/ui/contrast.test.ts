import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const css = readFileSync('src/app.css', 'utf8');

/** Text on its ground: WCAG 2.2 AA asks for 4.5. */
const TEXT: [text: string, ground: string][] = [
  ...['text', 'soft', 'accent-text', 'heard-text'].flatMap((text) =>
    ['ground', 'panel', 'raised'].map((ground) => [text, ground] as [string, string]),
  ),
  ['text', 'accent-wash'],
  ['accent-text', 'accent-wash'],
  ['soft', 'accent-wash'],
  ['on-fill', 'fill'],
  ['text', 'heard-wash'],
  ['soft', 'heard-wash'],
  ['heard-text', 'heard-wash'],
  ['text', 'live-wash'],
  ['soft', 'live-wash'],
  ['live-text', 'live-wash'],
  ['on-live', 'live'],
  ['accent-text', 'button'],
  ['text', 'button'],
  ['display-text', 'display'],
  ['display-soft', 'display'],
  ['display-lit', 'display'],
];

/** Marks that mean something: 3. */
const MARKS: [mark: string, ground: string][] = [
  ['accent', 'ground'],
  ['heard', 'ground'],
  ['heard', 'heard-wash'],
  ['live', 'ground'],
  ['live-mark', 'live-wash'],
  ['edge', 'ground'],
  ['edge', 'panel'],
  ['mark', 'panel'],
  ['focus', 'ground'],
  ['focus', 'panel'],
  ['focus', 'accent-wash'],
];

const dark = palette(css.slice(0, css.indexOf('@media (prefers-color-scheme: light)')));
const light = {
  ...dark,
  ...palette(css.slice(css.indexOf('@media (prefers-color-scheme: light)'))),
};

describe.each([
  ['dark', dark],
  ['light', light],
])('%s', (_, colours) => {
  test.each(TEXT)('%s can be read on %s', (text, ground) => {
    expect(contrast(colours, text, ground)).toBeGreaterThanOrEqual(4.5);
  });

  test.each(MARKS)('%s can be seen on %s', (mark, ground) => {
    expect(contrast(colours, mark, ground)).toBeGreaterThanOrEqual(3);
  });
});

function palette(block: string): Record<string, string> {
  const found = block.matchAll(/--([a-z-]+):\s*(#[0-9a-f]{6});/g);
  return Object.fromEntries([...found].map(([, name, value]) => [name, value]));
}

/** WCAG 2.2, "contrast ratio". */
function contrast(colours: Record<string, string>, a: string, b: string): number {
  const [bright, dim] = [luminance(colours, a), luminance(colours, b)].sort((x, y) => y - x);
  return ((bright ?? 0) + 0.05) / ((dim ?? 0) + 0.05);
}

function luminance(colours: Record<string, string>, name: string): number {
  const colour = colours[name];
  if (!colour) throw new Error(`no colour --${name}`);
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
