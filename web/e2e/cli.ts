import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BINARY } from './server';

/** The command line client, with a key of its own. */
export class Cli {
  readonly #child: ChildProcess;
  readonly #said: string[] = [];
  readonly #ended: Promise<number | null>;

  private constructor(args: string[], input = '') {
    this.#child = spawn(BINARY, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin?.end(input);
    this.#child.stdout?.on('data', (text) => this.#said.push(String(text)));
    this.#child.stderr?.on('data', (text) => this.#said.push(String(text)));
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => resolve(code));
    });
  }

  /** `command` with the arguments that every client command takes. */
  static run(command: string, server: string, handle: string, args: string[]): Cli {
    const key = join(mkdtempSync(join(tmpdir(), 'tenfour-cli-')), 'key');
    const common = ['--server', server, '--channel', '19', '--handle', handle, '--key', key];
    return new Cli([command, ...common, ...args]);
  }

  /** A `key` command, with the passphrase from a pipe. */
  static key(args: string[], passphrase: string): Cli {
    return new Cli(['key', ...args], `${passphrase}\n`);
  }

  /** What it has said so far, on both outputs. */
  get said(): string {
    return this.#said.join('');
  }

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<void> {
    this.#child.kill('SIGINT');
    await this.#ended;
  }

  /** Its exit code. */
  ended(): Promise<number | null> {
    return this.#ended;
  }
}
