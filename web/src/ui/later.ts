/** What most visits never open, in one piece that is loaded when it is. */

export { default as KeyImport } from './KeyImport.svelte';
export { default as LocationSheet } from './LocationSheet.svelte';
export { default as Settings } from './Settings.svelte';
