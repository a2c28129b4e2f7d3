/** The page with a scripted radio, one scene at a time: `gallery.html?scene=talking`. Served by `vite` only. */

import { mount } from 'svelte';
import '../../app.css';
import App from '../../App.svelte';
import { handleRefused, scenes } from './scenes';
import { ScriptedRadio } from './scriptedRadio';

const name = new URLSearchParams(location.search).get('scene') ?? 'idle';
const scene = scenes[name];
const target = document.getElementById('app');
if (!scene || !target) throw new Error(`no scene ${name}`);

const radio = new ScriptedRadio(scene());
radio.registering = () => Promise.reject(handleRefused);
// For looking at the calls from the console.
Object.assign(window, { radio });
mount(App, { target, props: { radio } });
