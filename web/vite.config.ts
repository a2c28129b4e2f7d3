import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { budget } from './budget.ts';
import manifest from './package.json' with { type: 'json' };

const SERVER = 'http://127.0.0.1:27185';

export default defineConfig(({ command }) => ({
  plugins: [svelte(), budget()],
  define: {
    __VERSION__: JSON.stringify(manifest.version),
    // `npm run dev` talks through a proxy; log-ins are signed for the server behind it.
    // A page that is built is never broken: what the mutants do is not in it.
    __MUTANT__: JSON.stringify((process.env.VITEST && process.env.TENFOUR_MUTANT) || ''),
    __ORIGIN__: command === 'serve' && !process.env.VITEST ? JSON.stringify(SERVER) : 'undefined',
  },
  build: {
    target: 'es2022',
    // The page is served with a policy that allows nothing inline and no data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The notices of what is bundled travel with it.
    license: { fileName: 'licences.txt' },
  },
  worker: { format: 'es' },
  server: {
    host: '127.0.0.1',
    // The server takes its own origins only, so the proxy speaks in its name.
    proxy: {
      '/api': { target: SERVER, ws: true, headers: { origin: SERVER } },
      '/privacy': { target: SERVER },
    },
  },
  test: {
    // To make a document for each file takes longer than its tests: only what is drawn gets one.
    projects: [
      {
        extends: true,
        test: { name: 'ui', include: ['src/ui/**/*.test.ts'], environment: 'happy-dom' },
      },
      {
        extends: true,
        test: {
          name: 'radio',
          include: ['src/radio/**/*.test.ts', 'src/text/**/*.test.ts', 'e2e/*.test.ts'],
          environment: 'node',
        },
      },
    ],
  },
  // Without this, vitest takes the server build of Svelte, which cannot mount.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
}));
