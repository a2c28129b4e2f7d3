import { expect, test, vi } from 'vitest';
import { Api } from './api';
import { toBase64url } from './encoding';
import type { DeviceKey } from './identity';
import { signedBytes } from './identity';

const key: DeviceKey = {
  publicKey: new Uint8Array(32).fill(1),
  user: new Uint8Array(20).fill(2),
  sign: async (bytes) => bytes,
  pair: {} as CryptoKeyPair,
};

/** A server that answers by path, and what it was asked. */
function server(answers: Record<string, Response | Error>) {
  const asked: { path: string; body: unknown }[] = [];
  const ask = (async (path: string, request: RequestInit) => {
    asked.push({ path, body: request.body ? JSON.parse(String(request.body)) : undefined });
    const answer = answers[path.replace('/api/v1/', '')];
    if (!answer || answer instanceof Error) throw answer ?? new TypeError('no such path');
    return answer;
  }) as typeof fetch;
  return { api: new Api('https://radio.example', ask), asked };
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

test('registering signs a fresh nonce for this origin', async () => {
  const nonce = new Uint8Array(32).fill(9);
  const { api, asked } = server({
    nonce: json({ nonce: toBase64url(nonce), expiry: 77 }),
    register: json({ user: 'u', tag: 't', handle: 'Roadrunner' }, 201),
  });
  const me = await api.register(key, 'Roadrunner', undefined, async () => undefined);
  expect(me.handle).toBe('Roadrunner');
  expect(asked[1]?.body).toEqual({
    handle: 'Roadrunner',
    proof: {
      key: toBase64url(key.publicKey),
      nonce: toBase64url(nonce),
      expiry: 77,
      signature: toBase64url(signedBytes('https://radio.example', nonce, 77, key.user)),
      session: 'cookie',
    },
  });
});

test('a problem is thrown as the refusal it tells', async () => {
  const problem = { type: 'urn:tenfour:error:too_many_requests', status: 429 };
  const words = { title: 'Too many requests.', detail: 'Wait a moment.' };
  const body = { ...problem, ...words, code: 'too_many_requests', retry_after_ms: 900 };
  const { api } = server({ me: json(body, 429) });
  await expect(api.me()).rejects.toEqual({ code: 'too_many_requests', retry_after_ms: 900 });
});

test.each([
  ['no answer', new TypeError('failed to fetch')],
  ['the page of a proxy', new Response('<html>Bad gateway</html>', { status: 502 })],
])('%s is a lost link', async (_, answer) => {
  const { api } = server({ channels: answer });
  await expect(api.channels()).rejects.toMatchObject({ code: 'link_lost' });
});

test('log-out has no body to read', async () => {
  const { api } = server({ logout: new Response(null, { status: 204 }) });
  await expect(api.logout()).resolves.toBeUndefined();
});

test('who one is here leaves out the rest of what is stored', async () => {
  const me = { user: 'u', tag: 't', handle: 'Roadrunner' };
  const { api } = server({ me: json({ ...me, key: 'k', created: '2026-11-23', sessions: [] }) });
  await expect(api.me()).resolves.toEqual(me);
});

test('a change takes away what is null, and has the answer of the server', async () => {
  const { api, asked } = server({ me: json({ user: 'u', tag: 't', handle: 'Oak' }) });
  await expect(api.change({ handle: ' Oak', description: null })).resolves.toMatchObject({
    handle: 'Oak',
  });
  expect(asked[0]?.body).toEqual({ handle: ' Oak', description: null });
});

test('a server that takes a request and never answers is given up after ten seconds', async () => {
  vi.useFakeTimers();
  const silent = ((_, { signal }: RequestInit) =>
    new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    })) as typeof fetch;
  const refused = new Api('https://radio.example', silent).me().catch((error) => error);
  await vi.advanceTimersByTimeAsync(9_999);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await refused).toEqual({ code: 'link_lost', as: 'unreachable' });
  vi.useRealTimers();
});

test('an answer leaves no timer behind', async () => {
  vi.useFakeTimers();
  const { api } = server({ channels: json({ host: 'Tenfour', channels: [] }) });
  await api.channels();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
