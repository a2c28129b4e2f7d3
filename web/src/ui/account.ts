/** What the account settings work out: what to change, and the file of what is stored. */

import type { Me } from '../gen/Me';
import type { Profile } from '../gen/Profile';

/** What is to be changed to make `me` as typed; null when that is nothing. */
export function changes(me: Me, handle: string, description: string): Profile | null {
  const profile: Profile = {};
  if (handle.trim() !== me.handle) profile.handle = handle.trim();
  const line = description.trim();
  if (line !== (me.description ?? '')) profile.description = line || null;
  return Object.keys(profile).length > 0 ? profile : null;
}

/** Name of the file of what is stored. */
export function fileName(handle: string): string {
  return `tenfour-${plain(handle)}.json`;
}

/** Name of a key file. */
export function keyFileName(handle: string): string {
  return `tenfour-${plain(handle)}.key.json`;
}

/** Without what file systems do not take. */
function plain(handle: string): string {
  return handle.replace(/[\p{C}/\\:*?"<>|]/gu, '-');
}

/** Gives the browser a file to save, made here; returns how to let go of it. */
export function download(name: string, json: string): () => void {
  const url = URL.createObjectURL(new Blob([json], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  return () => URL.revokeObjectURL(url);
}
