/** Locations in the tests: where pages are, and how a person shares that. */

import type { BrowserContextOptions, Locator } from '@playwright/test';
import { expect } from '@playwright/test';
import type { Station } from './station';

export interface At {
  latitude: number;
  longitude: number;
}

export const HOME: At = { latitude: 44.8, longitude: 20.46 };
/** 8 km from there. */
export const NEAR: At = { latitude: 44.866, longitude: 20.41 };
/** 57 km from there. */
export const FAR: At = { latitude: 45.3, longitude: 20.6 };

/** A browser that allows the page to know that it is there. */
export function at(geolocation: At): BrowserContextOptions {
  return { geolocation, permissions: ['geolocation', 'microphone'] };
}

export type Handle = 'Transmit range' | 'Receive range';

export function slider({ page }: Station, name: Handle): Locator {
  return page.getByRole('slider', { name });
}

/** Says yes in the sheet, and waits until the server has the cell. */
export async function agree(one: Station): Promise<void> {
  await one.page.getByRole('button', { name: 'Share my cell' }).click();
  await one.until(({ location }) => location.state === 'shared' && location.country === 'RS');
}

export async function share(one: Station): Promise<void> {
  await one.page.getByRole('button', { name: 'Share', exact: true }).click();
  await agree(one);
}

/** Moves a handle with keys, and waits until the server has taken the ranges. */
export async function set(one: Station, name: Handle, keys: string[], said: string): Promise<void> {
  await slider(one, name).focus();
  for (const key of keys) await one.page.keyboard.press(key);
  await expect(one.page.getByRole('status').last()).toHaveText(said);
}
