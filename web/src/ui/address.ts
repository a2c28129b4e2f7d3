/** The address of a channel, `/c/19`, and the order of the numbered channels. */

import { CHANNEL_NUMBERS } from '../gen/limits';

/** Path of a channel. */
export function pathOf(channel: string): string {
  return `/c/${channel}`;
}

/** The next numbered channel up (`1`) or down (`-1`), round and round; from a name to the nearest end. */
export function step(channel: string, by: 1 | -1): string {
  const number = Number(channel);
  if (!Number.isInteger(number)) return String(by === 1 ? 1 : CHANNEL_NUMBERS);
  return String(((number - 1 + by + CHANNEL_NUMBERS) % CHANNEL_NUMBERS) + 1);
}
