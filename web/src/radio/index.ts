import type { Radio } from './model';
import { Store } from './store';

/** Makes the radio of this page. Nothing happens until `start`. */
export function createRadio(): Radio {
  const store = new Store(location.host, '19');
  const later = () => {};
  return {
    get state() {
      return store.state;
    },
    subscribe: (run) => store.subscribe(run),
    on: (run) => store.on(run),
    start: async () => store.set({ link: { state: 'unregistered' } }),
    register: async () => {},
    logOut: async () => {},
    select: (channel) => store.set({ channel }),
    scan: later,
    page: later,
    loadChannels: async () => {},
    mute: later,
    press: later,
    release: later,
    sayAgain: later,
    unlockSound: later,
    setLowData: later,
    retry: later,
  };
}
