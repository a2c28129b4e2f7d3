import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The binary under test. */
export const BINARY = resolve(process.env.TENFOUR_BIN ?? '../target/debug/tenfour');

/** A server of its own for a test: a free port on loopback and an empty data folder. */
export class Server {
  readonly url: string;
  readonly data = mkdtempSync(join(tmpdir(), 'tenfour-e2e-'));
  #child: ChildProcess | null = null;

  private constructor(
    private readonly port: number,
    private readonly environment: Record<string, string>,
    private readonly prefix: string[],
  ) {
    this.url = `http${environment.TENFOUR_TLS ? 's' : ''}://127.0.0.1:${port}`;
  }

  /**
   * Starts one and waits until it listens. `environment` holds settings such as `TENFOUR_HOLD`, and
   * `prefix` a command that starts another.
   */
  static async start(
    environment: Record<string, string> = {},
    prefix: string[] = [],
  ): Promise<Server> {
    const server = new Server(await freePort(), environment, prefix);
    await server.up();
    return server;
  }

  /** Starts it again on the same port and data. */
  async up(): Promise<void> {
    const serve = ['serve', '--listen', `127.0.0.1:${this.port}`, '--data', this.data];
    const [program = BINARY, ...args] = [...this.prefix, BINARY, ...serve];
    const env = { ...process.env, ...this.environment };
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    await new Promise<void>((ready, failed) => {
      let said = '';
      child.once('error', failed);
      child.once('exit', (code) => failed(new Error(`the server ended with ${code}: ${said}`)));
      child.stdout?.on('data', (text) => {
        said += text;
        if (said.includes(this.url)) ready();
      });
    });
  }

  /** Ends it, by force unless told otherwise, and waits until it is gone. */
  async down(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  async end(): Promise<void> {
    await this.down();
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Below the ports that systems hand out by themselves; each worker has a thousand of its own. */
let next = 20_000 + 1_000 * Number(process.env.TEST_PARALLEL_INDEX ?? 0);

/** A port that nobody uses, now or when the server comes back after it was ended. */
async function freePort(): Promise<number> {
  for (;;) {
    next += 1;
    const port = next;
    const probe = createServer();
    const free = await new Promise<boolean>((done) => {
      probe.once('error', () => done(false));
      probe.listen(port, '127.0.0.1', () => done(true));
    });
    if (!free) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}
