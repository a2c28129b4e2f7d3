import type { Browser, BrowserContext, BrowserContextOptions } from '@playwright/test';
import { chromium, firefox } from '@playwright/test';

const CHROMIUM = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';
const FIREFOX = process.env.FIREFOX_BIN ?? '/usr/bin/firefox-esr';

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  // Several windows at once, none in front: they must not be slowed down.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** A microphone that plays `wav` over and over, from its start when it is opened. */
const playing = (wav: string) => [
  ...QUIET,
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  `--use-file-for-fake-audio-capture=${wav}`,
];

/** A version of TLS, which is then the only one that a browser speaks. */
export type Version = '1.2' | '1.3';

/** A Chromium with such a microphone. */
export function chromiumWith(wav: string, version?: Version): Promise<Browser> {
  const only = version
    ? [`--ssl-version-min=tls${version}`, `--ssl-version-max=tls${version}`]
    : [];
  return chromium.launch({ executablePath: CHROMIUM, args: [...playing(wav), ...only] });
}

/** Nothing listens there. */
const NOWHERE = 'http://127.0.0.1:9';

/**
 * What a Chromium asks its maker for by itself: hints, the time, the search engine, accounts, push
 * messages, what forms are about, components. The last list of features counts, so those that Playwright turns off are among them.
 */
const BY_ITSELF = [
  `--gaia-url=${NOWHERE}`,
  `--gcm-checkin-url=${NOWHERE}`,
  // Newer ones look for components in spite of being told not to.
  `--component-updater=url-source=${NOWHERE}/`,
  '--disable-features=OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,MediaRouter,' +
    'Translate,HttpsUpgrades,PreconnectToSearch,PrewarmDefaultSearchEngine,' +
    'AutofillServerCommunication',
];

/** The same with nothing to ask for by itself, started by another program: `wrap` makes one of it. */
export function chromiumWithin(wrap: (program: string) => string, wav: string): Promise<Browser> {
  const args = [...playing(wav), ...BY_ITSELF];
  return chromium.launch({ executablePath: wrap(CHROMIUM), args });
}

/** The same with a profile in `folder` that stays. */
export function chromiumKeeping(
  folder: string,
  wav: string,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const launch = { executablePath: CHROMIUM, args: playing(wav) };
  return chromium.launchPersistentContext(folder, { ...options, ...launch });
}

/** A Chromium that only listens. */
export function chromiumSilent(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: QUIET });
}

/** A Chromium with a microphone that its person does not allow. */
export function chromiumRefusing(): Promise<Browser> {
  const args = [...QUIET, '--use-fake-device-for-media-stream', '--deny-permission-prompts'];
  return chromium.launch({ executablePath: CHROMIUM, args });
}

/** A Chromium that may use any microphone and is shown none. */
export function chromiumWithout(): Promise<Browser> {
  const args = [...QUIET, '--use-fake-ui-for-media-stream'];
  const env = { ...process.env, PULSE_SERVER: 'unix:/nowhere', ALSA_CONFIG_PATH: '/dev/null' };
  return chromium.launch({ executablePath: CHROMIUM, args, env: env as Record<string, string> });
}

/** A Firefox in which something is turned off, silent. */
export function firefoxWithout(preference: string): Promise<Browser> {
  return firefox.launch({
    executablePath: FIREFOX,
    channel: 'moz-firefox',
    firefoxUserPrefs: { [preference]: false, 'media.navigator.streams.fake': true },
  });
}

/** Firefox, with the microphone and the loudspeaker of the PulseAudio server in `environment`. */
export function firefoxWith(environment: NodeJS.ProcessEnv, version?: Version): Promise<Browser> {
  // Firefox counts as the wire does.
  const number = version === '1.2' ? 3 : 4;
  const only = { 'security.tls.version.min': number, 'security.tls.version.max': number };
  return firefox.launch({
    executablePath: FIREFOX,
    channel: 'moz-firefox',
    env: environment as Record<string, string>,
    firefoxUserPrefs: {
      'media.navigator.permission.disabled': true,
      'media.autoplay.default': 0,
      'media.autoplay.blocking_policy': 0,
      ...(version ? only : {}),
    },
  });
}
