/** Puts a component into the document for a test and takes it out again afterwards. */

import { type Component, flushSync, mount, unmount } from 'svelte';
import { onTestFinished } from 'vitest';

export function draw<Props extends Record<string, unknown>>(
  // biome-ignore lint/suspicious/noExplicitAny: components of any exports are drawn.
  component: Component<Props, any>,
  props: Props,
): HTMLElement {
  const target = document.createElement('div');
  document.body.append(target);
  const drawn = mount(component, { target, props });
  flushSync();
  onTestFinished(() => {
    void unmount(drawn);
    target.remove();
  });
  return target;
}

/** The element that a selector finds; throws when there is none. */
export function find<E extends HTMLElement = HTMLElement>(within: ParentNode, selector: string): E {
  const found = within.querySelector<E>(selector);
  if (!found) throw new Error(`nothing matches ${selector}`);
  return found;
}
