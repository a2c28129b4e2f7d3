import type { Channels } from '../gen/Channels';
import type { Contact } from '../gen/Contact';
import type { Held } from '../gen/Held';
import type { Login } from '../gen/Login';
import type { Me } from '../gen/Me';
import type { Nonce } from '../gen/Nonce';
import type { Problem } from '../gen/Problem';
import type { Profile } from '../gen/Profile';
import type { Proof } from '../gen/Proof';
import type { Register } from '../gen/Register';
import { fromBase64url, toBase64url } from './encoding';
import type { DeviceKey } from './identity';
import { signedBytes } from './identity';
import { asRefusal, ofProblem, unreachable } from './refusal';

/** The server answers within this time, or does not answer at all, in ms. */
const PATIENCE = 10_000;

/** The HTTP side of the server. Each call throws a `Refusal`. */
export class Api {
  /** `origin` is what log-ins are signed for: `scheme://host[:port]`. */
  constructor(
    private readonly origin: string,
    private readonly ask: typeof fetch = (...request) => fetch(...request),
  ) {}

  /** Who one is here, without the rest of what is stored. */
  async me(): Promise<Me> {
    const { user, tag, handle, description } = await this.held();
    return description === undefined ? { user, tag, handle } : { user, tag, handle, description };
  }

  /** All that is stored of oneself. */
  held(): Promise<Held> {
    return this.#call<Held>('GET', 'me');
  }

  change(profile: Profile): Promise<Me> {
    return this.#call<Me>('PATCH', 'me', profile);
  }

  async contact(text: string): Promise<void> {
    const body: Contact = { text };
    await this.#call<null>('POST', 'contact', body);
  }

  async erase(): Promise<void> {
    await this.#call<null>('DELETE', 'me');
  }

  async logOutEverywhere(): Promise<void> {
    await this.#call<null>('DELETE', 'me/sessions');
  }

  channels(): Promise<Channels> {
    return this.#call<Channels>('GET', 'channels');
  }

  /** `work` does what a nonce asks for (`entrance.ts`). */
  async register(
    key: DeviceKey,
    handle: string,
    description: string | undefined,
    work: (nonce: Nonce) => Promise<number | undefined>,
  ): Promise<Me> {
    const nonce = await this.#nonce();
    const solution = await work(nonce);
    const body: Register = { handle, proof: await this.#prove(key, nonce) };
    if (description) body.description = description;
    if (solution !== undefined) body.work = solution;
    return this.#call<Me>('POST', 'register', body);
  }

  async login(key: DeviceKey): Promise<Me> {
    const body: Login = { proof: await this.#prove(key, await this.#nonce()) };
    return this.#call<Me>('POST', 'login', body);
  }

  async logout(): Promise<void> {
    await this.#call<null>('POST', 'logout');
  }

  #nonce(): Promise<Nonce> {
    return this.#call<Nonce>('POST', 'nonce');
  }

  async #prove(key: DeviceKey, { nonce, expiry }: Nonce): Promise<Proof> {
    const bytes = signedBytes(this.origin, fromBase64url(nonce), expiry, key.user);
    return {
      key: toBase64url(key.publicKey),
      nonce,
      expiry,
      signature: toBase64url(await key.sign(bytes)),
      session: 'cookie',
    };
  }

  async #call<T>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<T> {
    const limit = new AbortController();
    const { signal } = limit;
    const request: RequestInit = { method, signal, credentials: 'same-origin', cache: 'no-store' };
    if (body !== undefined) {
      request.headers = { 'content-type': 'application/json' };
      request.body = JSON.stringify(body);
    }
    const timer = setTimeout(() => limit.abort(), PATIENCE);
    try {
      const answer = await this.ask(`/api/v1/${path}`, request);
      if (answer.status === 204) return null as T;
      if (answer.ok) return (await answer.json()) as T;
      throw await problem(answer);
    } catch (error) {
      throw asRefusal(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A proxy in between may answer with something that is no problem document. */
async function problem(answer: Response) {
  try {
    const body = (await answer.json()) as Problem;
    if (typeof body.code === 'string') return ofProblem(body);
  } catch {
    // Not JSON: told below.
  }
  return unreachable();
}
