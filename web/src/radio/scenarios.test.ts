import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Scenario } from './testing/bench';
import { Bench } from './testing/bench';
import { vectors } from './testing/vectors';

const files = readdirSync('../vectors/radio').filter(
  (file) => file.endsWith('.json') && file !== 'defaults.json',
);

/** `crates/core/tests/radio/scenarios.rs` plays the same files. */
describe('a scenario of both radios', () => {
  for (const file of files) {
    const scenario = vectors<Scenario>(`radio/${file}`);
    if (scenario.only === 'core') continue;
    test(file.replace('.json', ''), () => new Bench(scenario).play());
  }

  test('there are some', () => {
    expect(files.length).toBeGreaterThanOrEqual(40);
  });
});
