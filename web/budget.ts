import { gzipSync } from 'node:zlib';
import type { Plugin, Rolldown } from 'vite';

/**
 * JavaScript that a first visit loads, in bytes of gzip. 2,000 of them are for what fails: asking the browser
 * what it can do, hearing of each worker, worklet and codec that breaks, and words for it, most of them loaded
 * later. 1,000 are for staying live: who is heard next, how late it is, and what was missed.
 */
const LIMIT = 63_000;
/** Loaded by who shares a location, and by nobody else. */
const ON_DEMAND = 'h3-js';
/** A worker that only those start who register after many others of their network. */
const RARE = 'work.worker';

/** Fails a build whose first load has grown too large, or has the library that is for later. */
export function budget(): Plugin {
  return {
    name: 'budget',
    apply: 'build',
    generateBundle(_, bundle) {
      const scripts = firstLoad(bundle);
      const early = scripts.find(({ modules }) => modules.some((id) => id.includes(ON_DEMAND)));
      if (early) this.error(`${early.name} brings ${ON_DEMAND} to the first load`);
      const bytes = scripts.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
      if (bytes > LIMIT) this.error(`the first load is ${bytes} bytes of gzip, over ${LIMIT}`);
      this.info(`the first load is ${bytes} bytes of gzip, of ${LIMIT}`);
    },
  };
}

interface Script {
  name: string;
  code: string | Uint8Array;
  modules: string[];
}

/** The entries with what they import at once, and every worker and worklet but the rare one. */
function firstLoad(bundle: Rolldown.OutputBundle): Script[] {
  const files = Object.values(bundle);
  const wanted = files.flatMap((file) =>
    file.type === 'chunk' && file.isEntry ? [file.fileName] : [],
  );
  for (const name of wanted) {
    const file = bundle[name];
    if (file?.type !== 'chunk') continue;
    wanted.push(...file.imports.filter((one) => !wanted.includes(one)));
  }
  return files.flatMap((file): Script[] => {
    const name = file.fileName;
    if (file.type === 'asset') {
      return name.endsWith('.js') && !name.includes(RARE)
        ? [{ name, code: file.source, modules: [] }]
        : [];
    }
    return wanted.includes(name) ? [{ name, code: file.code, modules: file.moduleIds }] : [];
  });
}
