import { defineConfig } from '@playwright/test';

/** Tests that compare what was said with what was heard: two of them at a time would disturb each other. */
const SOUND = /(cli|firefox|place|radio|secure|trouble|ui)\.spec\.ts$/;

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  workers: 2,
  projects: [
    { name: 'sound', testMatch: SOUND, workers: 1 },
    { name: 'page', testIgnore: SOUND, workers: 1 },
  ],
  retries: 0,
  reporter: 'list',
  timeout: 60_000,
});
