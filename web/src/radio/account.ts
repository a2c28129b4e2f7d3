import type { Held } from '../gen/Held';
import type { Profile } from '../gen/Profile';
import type { Api } from './api';
import type { DeviceKey } from './identity';
import { KeyFault } from './keyFault';
import type { Account, Link } from './model';
import { asRefusal, isRefusal, refusal } from './refusal';
import type { Store } from './store';

export interface AccountOptions {
  store: Store;
  api: Pick<Api, 'change' | 'held' | 'contact' | 'logOutEverywhere' | 'erase'>;
  setLink(link: Link): void;
  /** Ends the link, and lets go of all that was heard, said and shared. */
  leave(): void;
  /** Logs in and connects once more. */
  restart(): Promise<void>;
  key(): DeviceKey | null;
  /** Keeps a key in this browser, logs in with it and connects. */
  adopt(pair: CryptoKeyPair): Promise<void>;
  /** Deletes the device key and all else that the radio keeps in this browser. */
  forget(): Promise<void>;
}

/** What the server has stored of this person, and how to change it or be rid of it. */
export class StoredAccount implements Account {
  constructor(private readonly options: AccountOptions) {}

  async change(profile: Profile): Promise<void> {
    const { api, store } = this.options;
    const me = await refusing(api.change(profile));
    store.set({ me });
  }

  held(): Promise<Held> {
    return refusing(this.options.api.held());
  }

  exportKey(passphrase: string): Promise<string> {
    return refusing(this.#sealed(passphrase));
  }

  async importKey(file: string, passphrase: string): Promise<boolean> {
    try {
      const { openKeyFile } = await import('./keyFile');
      await this.options.adopt(await openKeyFile(file, passphrase));
      return true;
    } catch (error) {
      if (isRefusal(error) && error.code === 'not_registered') return false;
      throw told(error);
    }
  }

  async #sealed(passphrase: string): Promise<string> {
    const { sealKeyFile } = await import('./keyFile');
    const key = this.options.key();
    if (!key) throw refusal('logged_out');
    return sealKeyFile(key, passphrase);
  }

  contact(text: string): Promise<void> {
    return refusing(this.options.api.contact(text));
  }

  async logOutEverywhere(): Promise<void> {
    const { api, leave, setLink } = this.options;
    await refusing(api.logOutEverywhere());
    leave();
    setLink({ state: 'gone', refusal: refusal('logged_out') });
  }

  async erase(): Promise<void> {
    const { api, store, leave, restart, forget, setLink } = this.options;
    // Before the server closes the socket, which would look like a fault.
    leave();
    setLink({ state: 'connecting' });
    try {
      await api.erase();
    } catch (error) {
      // The server may have ended the session; a new one is needed to try again.
      await restart();
      // Unless it was done, and only the answer was lost.
      if (store.state.link.state !== 'unregistered') throw asRefusal(error);
    }
    try {
      await forget();
    } catch {
      setLink({ state: 'gone', refusal: refusal('erased', 'key_kept') });
      return;
    }
    store.set({ me: null });
    setLink({ state: 'unregistered' });
  }
}

async function refusing<T>(act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    throw told(error);
  }
}

function told(error: unknown): unknown {
  return error instanceof KeyFault ? error : asRefusal(error);
}
