import { AUTH_PATIENCE, REGISTRATION_WORK, REGISTRATION_WORK_MOST } from '../gen/limits';
import type { Me } from '../gen/Me';
import type { Nonce } from '../gen/Nonce';
import type { Api } from './api';
import type { Clock } from './clock';
import { fromBase64url } from './encoding';
import type { DeviceKey } from './identity';
import type { Queued } from './model';
import { asRefusal, type Refusal, refusal } from './refusal';
import { solve } from './solve';

export interface EntranceOptions {
  api: Pick<Api, 'register' | 'login'>;
  clock: Clock;
  /** For tests, which have no workers. */
  solve?: typeof solve;
  /** Why it takes longer, for the person; null when it does not. */
  tell(queued: Queued | null): void;
}

/** Registers and logs in. Where many come from the same network it waits as it is told, and works. */
export class Entrance {
  constructor(private readonly options: EntranceOptions) {}

  /** Throws a `Refusal`. */
  register(key: DeviceKey, handle: string, description?: string): Promise<Me> {
    const patience = new Patience(this.options.clock.now());
    return this.#patiently(patience, () =>
      this.options.api.register(key, handle, description, (nonce) =>
        this.#work(patience, nonce, key.user),
      ),
    );
  }

  /** Throws a `Refusal`. */
  login(key: DeviceKey): Promise<Me> {
    return this.#patiently(new Patience(this.options.clock.now()), () =>
      this.options.api.login(key),
    );
  }

  async #patiently(patience: Patience, attempt: () => Promise<Me>): Promise<Me> {
    const { clock, tell } = this.options;
    try {
      for (;;) {
        try {
          return await attempt();
        } catch (error) {
          const now = clock.now();
          const wait = patience.again(asRefusal(error), now);
          if (wait === null) throw error;
          if (wait > 0) await this.#wait(now, wait);
        }
      }
    } finally {
      tell(null);
    }
  }

  #wait(since: number, wait: number): Promise<void> {
    this.options.tell({ what: 'turn', since, until: since + wait });
    return new Promise((resolve) => {
      this.options.clock.after(wait, resolve);
    });
  }

  /** The solution of what a registration costs at the moment, if it costs anything. */
  async #work(
    patience: Patience,
    { nonce, work }: Nonce,
    user: Uint8Array,
  ): Promise<number | undefined> {
    const bits = patience.work(work ?? 0);
    if (bits === 0) return undefined;
    if (bits > REGISTRATION_WORK_MOST) throw patience.giveUp();
    const { clock, tell } = this.options;
    tell({ what: 'work', share: 0 });
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(patience.until - clock.now(), reject);
    });
    const message = { nonce: fromBase64url(nonce), user, bits };
    const solving = (this.options.solve ?? solve)(message, (share) =>
      tell({ what: 'work', share }),
    );
    try {
      return await Promise.race([solving.solution, late]);
    } catch {
      throw patience.giveUp();
    } finally {
      cancel();
      solving.stop();
    }
  }
}

/** What is left of it, for one registration or log-in. The native client has the same. */
class Patience {
  until: number;
  /** In a cluster a nonce may come from a node that does not count as the next one does. */
  #least = 0;
  /** The last try showed work, which may have taken longer than a nonce lives. */
  #worked = false;

  constructor(now: number) {
    this.until = now + AUTH_PATIENCE;
  }

  /** The work that the next try shows, when its nonce asks for `asked`. */
  work(asked: number): number {
    const bits = Math.max(asked, this.#least);
    this.#worked = bits > 0;
    return bits;
  }

  /** In what time to try again after this refusal, in ms; null when that does not help, or takes too long. */
  again(refusal: Refusal, now: number): number | null {
    const wait = this.#cure(refusal);
    return wait === null || now + wait > this.until ? null : wait;
  }

  /** This device cannot do the work: trying again would not help. */
  giveUp(): Refusal {
    this.until = Number.NEGATIVE_INFINITY;
    return refusal('work_needed');
  }

  #cure({ code, retry_after_ms }: Refusal): number | null {
    if (code === 'too_many_requests') return retry_after_ms ?? null;
    if (code === 'nonce_expired' && this.#worked) return 0;
    if (code !== 'work_needed' || this.#least > 0) return null;
    this.#least = REGISTRATION_WORK;
    return 0;
  }
}
