/** The calling channel: where a visitor without a link begins. */
const CALLING = '19';
const RECENT = 'tenfour.recent';

/** What stands in an address such as `/c/19` in the place of a channel; null in any other address. */
export function namedIn(path: string): string | null {
  const [, name] = /^\/c\/(.+?)\/?$/.exec(path) ?? [];
  try {
    return name === undefined ? null : decodeURIComponent(name);
  } catch {
    // A stray percent sign: shown as it stands, since it is no channel anyway.
    return name ?? null;
  }
}

/** The channel of an address, read as a person's typing is. */
export function channelOf(path: string): string | null {
  return parseChannel(namedIn(path) ?? '');
}

/** Reads what a person typed as a channel; `null` when it is none. */
export function parseChannel(typed: string): string | null {
  const name = typed
    .trim()
    .toLowerCase()
    .replace(/\s+/g, '-')
    .replace(/^0+(?=\d)/, '');
  return isChannel(name) ? name : null;
}

/** As the server sees it: 1 to 40 without a leading zero, or 2 to 32 of `a-z0-9-` from a letter on. */
export function isChannel(text: string): boolean {
  return /^([1-9]|[123][0-9]|40|[a-z][a-z0-9-]{1,31})$/.test(text);
}

/** Where this visit begins: the address, else the channel used last. */
export function firstChannel(recent: string[]): string {
  return channelOf(location.pathname) ?? recent[0] ?? CALLING;
}

/** Puts the channel into the address, so that sharing the link shares the channel. */
export function showChannel(channel: string): void {
  if (channelOf(location.pathname) === channel) return;
  history.pushState(null, '', `/c/${channel}${location.search}`);
}

export function loadRecent(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(RECENT) ?? '[]');
    return Array.isArray(list)
      ? list.filter((one) => typeof one === 'string' && isChannel(one))
      : [];
  } catch {
    return [];
  }
}

export function saveRecent(recent: string[]): void {
  try {
    localStorage.setItem(RECENT, JSON.stringify(recent));
  } catch {
    // A browser that keeps nothing only loses the list.
  }
}
