import type { Device } from '../gen/Device';

/** User-Agent Client Hints, as far as they are asked for; browsers of one family have them. */
interface ClientHints {
  platform?: string;
  getHighEntropyValues?(hints: string[]): Promise<{ model?: string }>;
}

/** Words of a user agent, the first that fits: some systems name another one too. */
const PLATFORMS: readonly [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad|iPod/, 'iOS'],
  [/CrOS/, 'Chrome OS'],
  [/Windows/, 'Windows'],
  [/Macintosh|Mac OS X/, 'macOS'],
  [/Linux|X11/, 'Linux'],
];

/**
 * What the page runs on, for the server's connection log: the platform, and the model where the
 * browser tells it. Nothing else is asked: browsers give no manufacturer.
 */
export class BrowserDevice {
  #device: Device;

  constructor(version: string) {
    const hints = (navigator as { userAgentData?: ClientHints }).userAgentData;
    const platform = hints?.platform || coarsePlatform();
    this.#device = { ...(platform && { platform }), version };
    void this.#askModel(hints);
  }

  /** What is known by now: a link does not wait for the rest. */
  known(): Device {
    return this.#device;
  }

  async #askModel(hints?: ClientHints): Promise<void> {
    try {
      const model = (await hints?.getHighEntropyValues?.(['model']))?.model;
      if (model) this.#device = { ...this.#device, model };
    } catch {
      // The page may not know: a policy of the browser or of a frame around it.
    }
  }
}

function coarsePlatform(): string {
  const { userAgent = '', maxTouchPoints = 0 } = navigator;
  const platform = PLATFORMS.find(([word]) => word.test(userAgent))?.[1] ?? '';
  // A tablet that pretends to be a desktop: no Mac has a touch screen.
  return platform === 'macOS' && maxTouchPoints > 1 ? 'iOS' : platform;
}
