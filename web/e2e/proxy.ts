import { once } from 'node:events';
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';

/** A proxy before a server, as an operator may have set it up. */
export class ReverseProxy {
  /** Where the server is; the address of the proxy has to be known first. */
  target = '';
  /** Whether sockets get through. */
  upgrades: boolean;
  /** What becomes of scripts on their way, by their names; nothing of it is kept by a browser. */
  spoilt: { script: string; change: (text: string) => string } | null = null;

  private constructor(
    private readonly http: HttpServer,
    readonly origin: string,
    /** It serves below this, and the server does not see it: `/radio`, or nothing. */
    private readonly folder: string,
    upgrades: boolean,
  ) {
    this.upgrades = upgrades;
    http.on('request', (asked, answer) => this.#pass(asked, answer));
    http.on('upgrade', (asked, socket, head) => {
      const to = connect(Number(new URL(this.target).port), '127.0.0.1');
      const lines = [`GET ${asked.url} HTTP/1.1`];
      for (let i = 0; i < asked.rawHeaders.length; i += 2) {
        const [name, value] = asked.rawHeaders.slice(i, i + 2);
        // One that knows of no upgrade takes out what is meant for it alone, and sends the rest on.
        if (this.upgrades || !/^(connection|upgrade)$/i.test(name ?? ''))
          lines.push(`${name}: ${value}`);
      }
      to.write(`${lines.join('\r\n')}\r\n\r\n`);
      to.write(head);
      to.pipe(socket).pipe(to);
      to.on('error', () => socket.destroy());
      socket.on('error', () => to.destroy());
    });
  }

  static async start({ folder = '', upgrades = true } = {}): Promise<ReverseProxy> {
    const http = createServer();
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const address = http.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new ReverseProxy(http, `http://127.0.0.1:${address.port}`, folder, upgrades);
  }

  async end(): Promise<void> {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const path = asked.url ?? '/';
    if (!path.startsWith(`${this.folder}/`)) {
      answer.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Another site</h1>');
      return;
    }
    const url = this.target + path.slice(this.folder.length);
    const { spoilt } = this;
    const spoils = spoilt && path.includes(`/assets/${spoilt.script}`) ? spoilt.change : null;
    const headers = spoils ? { ...asked.headers, 'accept-encoding': 'identity' } : asked.headers;
    const there = request(url, { method: asked.method, headers }, async (back) => {
      if (spoils) {
        const text = Buffer.concat(await back.toArray()).toString();
        const { 'content-length': _, ...kept } = back.headers;
        answer.writeHead(back.statusCode ?? 502, { ...kept, 'cache-control': 'no-store' });
        answer.end(spoils(text));
        return;
      }
      answer.writeHead(back.statusCode ?? 502, back.headers);
      back.pipe(answer);
    });
    there.on('error', () => answer.writeHead(502).end());
    asked.pipe(there);
  }
}
