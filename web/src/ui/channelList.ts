/** The channel list with what the radio knows better: the channels it is tuned to. */

import type { ChannelInfo } from '../gen/ChannelInfo';
import type { Tuned } from '../radio/model';

export function withTuned(
  channels: readonly ChannelInfo[],
  tuned: readonly Tuned[],
): ChannelInfo[] {
  const known = new Map(channels.map((info) => [info.channel, info]));
  for (const { channel, label, count } of tuned) {
    const info = { ...known.get(channel), channel, count };
    known.set(channel, label === undefined ? info : { ...info, label });
  }
  return [...known.values()];
}
