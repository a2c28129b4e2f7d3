import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';
import { createRadio } from './radio';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');

const radio = createRadio();
target.replaceChildren();
mount(App, { target, props: { radio } });
