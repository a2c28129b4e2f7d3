/**
 * What this browser remembers of how the person likes the radio. Never voice, never anything
 * about other people, never a place. The channels used lately are the radio's own to keep.
 */

import type { Ranges } from '../gen/Ranges';
import { asRanges, UNLIMITED } from '../radio/range';

export type Cue = 'permit' | 'deny' | 'roger' | 'incoming';

export interface Preferences {
  cues: Record<Cue, boolean>;
  latch: boolean;
  lowData: boolean;
  vibrate: boolean;
  /** `KeyboardEvent.code` of the talk key, empty when there is none. */
  talkKey: string;
  /** The ranges chosen last. */
  ranges: Ranges;
  /** Shared the location, and did not take it back. */
  shareLocation: boolean;
}

const KEY = 'tenfour.preferences';

export function defaults(): Preferences {
  return {
    cues: { permit: true, deny: true, roger: true, incoming: true },
    latch: false,
    lowData: false,
    vibrate: true,
    talkKey: 'Space',
    ranges: UNLIMITED,
    shareLocation: false,
  };
}

/** Reads stored text; whatever does not fit is replaced by its default. */
export function parse(stored: string | null): Preferences {
  const known = defaults();
  let found: Partial<Preferences>;
  try {
    found = JSON.parse(stored ?? '{}') ?? {};
  } catch {
    return known;
  }
  for (const cue of Object.keys(known.cues) as Cue[]) {
    if (typeof found.cues?.[cue] === 'boolean') known.cues[cue] = found.cues[cue];
  }
  if (typeof found.latch === 'boolean') known.latch = found.latch;
  if (typeof found.lowData === 'boolean') known.lowData = found.lowData;
  if (typeof found.vibrate === 'boolean') known.vibrate = found.vibrate;
  if (typeof found.talkKey === 'string') known.talkKey = found.talkKey;
  known.ranges = asRanges(found.ranges) ?? known.ranges;
  if (typeof found.shareLocation === 'boolean') known.shareLocation = found.shareLocation;
  return known;
}

/** The preferences, kept as they change. A browser that stores nothing starts afresh each time. */
export class PreferenceStore {
  readonly value: Preferences;

  constructor(private readonly storage: Storage | null = localStorageOrNull()) {
    const value = $state(parse(read(storage)));
    this.value = value;
  }

  /** Back to what a first visit has, with nothing kept. */
  forget(): void {
    Object.assign(this.value, defaults());
    try {
      this.storage?.removeItem(KEY);
    } catch {
      // Forbidden: then nothing was kept.
    }
  }

  /** Writes the present values. */
  save(): void {
    try {
      this.storage?.setItem(KEY, JSON.stringify(this.value));
    } catch {
      // Full or forbidden: the preferences then last for this visit.
    }
  }
}

function read(storage: Storage | null): string | null {
  try {
    return storage?.getItem(KEY) ?? null;
  } catch {
    return null;
  }
}

function localStorageOrNull(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
