import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AST, parse } from 'svelte/compiler';
import { describe, expect, test } from 'vitest';
import { CODES } from '../gen/codes';
import { en } from './en';
import { languages, pick } from './index';
import { laterLanguages } from './later';
import { refusalLanguages } from './refusals.svelte';

describe.each(Object.entries(languages))('language %s', (tag, language) => {
  test('has words for every code', () => {
    expect(Object.keys(language.reasons).sort()).toEqual([...CODES].sort());
  });

  test('has the shape of English, and no empty word but where silence is meant', () => {
    expect(shape(language)).toEqual(shape(en));
    const empty = leaves(language).filter(([, word]) => word === '');
    expect(empty.map(([path]) => path)).toEqual(['endings.released']);
  });

  test('has the words that are loaded later', () => {
    expect(shape(laterLanguages[tag])).toEqual(shape(laterLanguages.en));
    expect(leaves(laterLanguages[tag]).filter(([, word]) => word === '')).toEqual([]);
  });

  test('has a sentence for every refusal', async () => {
    const refusals = await refusalLanguages[tag]?.();
    expect(shape(refusals)).toEqual(shape(await refusalLanguages.en?.()));
    expect(leaves(refusals).filter(([, word]) => word === '')).toEqual([]);
  });

  test('says which language it is', () => {
    expect(language.language).toBe(tag);
  });
});

test('the first wish that we have is taken, else English', () => {
  expect(pick(['xx-YY', 'en-GB']).language).toBe('en');
  expect(pick([]).language).toBe('en');
});

const components = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.svelte'),
);

test.each(components)('%s has no word of its own', (name) => {
  const { fragment } = parse(readFileSync(join('src', name), 'utf8'), { modern: true });
  expect(wordsIn(fragment)).toEqual([]);
});

/** Texts in the markup, and in those attributes that people read. */
function wordsIn(root: AST.Fragment): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) {
      node.forEach(visit);
      return;
    }
    const { type, name } = node as { type?: string; name?: string };
    if (type === 'Attribute' && !/^(aria-label|title|alt|placeholder|label|hint)$/.test(name ?? ''))
      return;
    if (type === 'Text') found.push((node as AST.Text).data);
    Object.values(node).forEach(visit);
  };
  visit(root);
  return found.filter((text) => /\p{L}{2}/u.test(text));
}

function leaves(node: unknown, path = ''): [path: string, word: unknown][] {
  if (typeof node !== 'object' || node === null) return [[path, node]];
  return Object.entries(node).flatMap(([name, child]) =>
    leaves(child, path ? `${path}.${name}` : name),
  );
}

function shape(node: unknown): string[] {
  return leaves(node)
    .map(([path, word]) => `${path}: ${typeof word}`)
    .sort();
}
