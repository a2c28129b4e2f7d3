/** A network that leads nowhere, and counts what would have left. See closed.sh for what it is. */

import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SCRIPT = resolve('../crates/cli/tests/closed_network/closed.sh');
const IS_ROOT = process.getuid?.() === 0;

/** Namespaces that last until `end`. They need root, or a system that lets anybody have them. */
export class Closed {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tenfour-closed-'));

  private constructor(private readonly holder: ChildProcess) {}

  static async make(): Promise<Closed> {
    const user = IS_ROOT ? [] : ['--user', '--map-root-user'];
    const args = [...user, '--net', '--mount', 'sh', SCRIPT];
    const holder = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise<void>((ready, failed) => {
      holder.once('error', failed);
      holder.once('exit', () => failed(new Error('namespaces need root and iproute2')));
      holder.stdout?.once('data', () => ready());
    });
    return new Closed(holder);
  }

  /** What comes before a command that is to run inside. */
  get prefix(): string[] {
    const user = IS_ROOT ? [] : ['--user', '--preserve-credentials'];
    return ['nsenter', '--target', String(this.holder.pid), ...user, '--net', '--mount'];
  }

  /** A program that starts `program` inside, with the arguments it is given. */
  wrap(program: string): string {
    const file = join(this.#folder, 'inside');
    writeFileSync(file, `#!/bin/sh\nexec ${this.prefix.join(' ')} ${program} "$@"\n`);
    chmodSync(file, 0o755);
    return file;
  }

  /** How many packets would have left so far. */
  left(): number {
    const [command = '', ...args] = [...this.prefix, 'cat', '/proc/net/dev'];
    const shown = execFileSync(command, args, { encoding: 'utf8' });
    const figures = /watched:(.*)/.exec(shown)?.[1]?.trim().split(/\s+/);
    return Number(figures?.[9]);
  }

  async end(): Promise<void> {
    const gone = once(this.holder, 'exit');
    this.holder.stdin?.end();
    await gone;
    rmSync(this.#folder, { recursive: true });
  }
}
