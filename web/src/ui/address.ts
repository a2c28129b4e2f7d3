/** The address of a channel, `/c/19`, and the order of the numbered channels. */

/** Highest numbered channel: `limits::CHANNEL_NUMBERS`. */
export const CHANNELS = 40;

/** Path of a channel. */
export function pathOf(channel: string): string {
  return `/c/${channel}`;
}

/** The next numbered channel up (`1`) or down (`-1`), round and round; from a name to the nearest end. */
export function step(channel: string, by: 1 | -1): string {
  const number = Number(channel);
  if (!Number.isInteger(number)) return String(by === 1 ? 1 : CHANNELS);
  return String(((number - 1 + by + CHANNELS) % CHANNELS) + 1);
}
