/**
 * The one place where the page starts another script. The server's policy has the browser refuse
 * text where it expects code (Trusted Types): what is started has to come through here.
 */

/** As browsers have it; TypeScript does not know it yet. */
interface ScriptUrls {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** Named in the server's policy too. */
const NAME = 'tenfour-workers';
/** Where the build puts scripts: a file of this server, and nothing that leads elsewhere. */
const OWN = /^\/(assets|src)\/[\w./?&=-]+$/;

const policy = (globalThis as { trustedTypes?: ScriptUrls }).trustedTypes?.createPolicy(NAME, {
  createScriptURL: own,
});

/** Starts a worker of the build. */
export function workerOf(url: string): Worker {
  return new Worker(policy?.createScriptURL(url) ?? own(url), { type: 'module' });
}

/** The address as it is. Throws if it is not that of a script of ours. */
export function own(url: string): string {
  if (!OWN.test(url)) throw new TypeError('The page starts scripts of its own server only.');
  return url;
}
