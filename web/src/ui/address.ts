/** The address of a channel, `/c/19`, and the order of the numbered channels. */

/** Highest numbered channel: `limits::CHANNEL_NUMBERS`. */
export const CHANNELS = 40;
/** Longest name: `limits::CHANNEL_NAME_BYTES`. */
const NAME_LENGTH = 32;

/** Reads what a person typed as a channel; `null` when it is none. */
export function parseChannel(typed: string): string | null {
  const name = typed.trim().toLowerCase().replace(/\s+/g, '-');
  if (/^\d{1,2}$/.test(name)) {
    const number = Number(name);
    return number >= 1 && number <= CHANNELS ? String(number) : null;
  }
  return name.length <= NAME_LENGTH && /^[a-z][a-z0-9-]*$/.test(name) ? name : null;
}

/** Path of a channel. */
export function pathOf(channel: string): string {
  return `/c/${channel}`;
}

/** The channel that a path names, `null` when it names none. */
export function channelOf(path: string): string | null {
  const found = /^\/c\/([^/]+)\/?$/.exec(path);
  if (!found?.[1]) return null;
  try {
    return parseChannel(decodeURIComponent(found[1]));
  } catch {
    return null;
  }
}

/** The next numbered channel up (`1`) or down (`-1`), round and round; from a name to the nearest end. */
export function step(channel: string, by: 1 | -1): string {
  const number = Number(channel);
  if (!Number.isInteger(number)) return String(by === 1 ? 1 : CHANNELS);
  return String(((number - 1 + by + CHANNELS) % CHANNELS) + 1);
}
