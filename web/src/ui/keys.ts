/** Which keys mean the radio, and when they mean something else. */

const TEXT_INPUTS = new Set(['text', 'search', 'url', 'tel', 'email', 'password', 'number', '']);

/** True while the key belongs to a field that takes text, or to an open dialog. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('dialog[open]')) return true;
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  if (target instanceof HTMLInputElement) {
    return TEXT_INPUTS.has(target.getAttribute('type')?.toLowerCase() ?? '');
  }
  return target.isContentEditable === true;
}

/** What the space bar and Enter work when it has the focus. */
const WORKED: Record<string, string> = {
  Space: 'button, summary, input',
  Enter: 'button, summary, a',
};

/**
 * True when the key works what has the focus. What a mouse or a finger `touched` last is not meant: who clicks
 * on a channel and then holds the space bar wants to talk.
 */
export function isWorking({ code, target }: KeyboardEvent, touched: Element | null): boolean {
  const worked = WORKED[code];
  if (worked === undefined || !(target instanceof HTMLElement)) return false;
  return target !== touched && target.matches(worked);
}

/** True while a dialog lies over the radio, wherever the focus is. */
export function dialogOpen(): boolean {
  return document.querySelector('dialog[open]') !== null;
}

/** A key with Ctrl, Alt or Meta is the browser's. */
export function isShortcut(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.altKey || event.metaKey;
}

/** Name of a key for people, from its code: `KeyT` is T. */
export function keyName(code: string, names: Record<string, string>): string {
  return names[code] ?? code.replace(/^(Key|Digit)/, '').replace(/([a-z])([A-Z0-9])/g, '$1 $2');
}
