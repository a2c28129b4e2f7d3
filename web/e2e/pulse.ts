import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A sound server of its own: a loudspeaker into nothing, and a microphone that hears what is played to it. */
export class Pulse {
  private constructor(
    private readonly folder: string,
    private readonly daemon: ChildProcess,
    /** For programs that shall use it. */
    readonly environment: NodeJS.ProcessEnv,
  ) {}

  static async start(): Promise<Pulse> {
    const folder = mkdtempSync(join(tmpdir(), 'tenfour-pulse-'));
    const socket = join(folder, 'native');
    const environment = {
      ...process.env,
      HOME: folder,
      XDG_RUNTIME_DIR: folder,
      PULSE_SERVER: `unix:${socket}`,
    };
    const modules = [
      `module-native-protocol-unix socket=${socket} auth-anonymous=1`,
      'module-null-sink sink_name=loudspeaker rate=48000',
      'module-null-sink sink_name=mouth rate=48000',
      'module-remap-source master=mouth.monitor source_name=microphone',
    ];
    const args = ['-n', '--daemonize=no', '--exit-idle-time=-1', '--disable-shm=yes'];
    for (const module of modules) args.push('-L', module);
    // The socket is made before the other modules are loaded, so the last of them is waited for.
    const watcher = watch(folder);
    const daemon = spawn('pulseaudio', args, { env: environment, stdio: 'ignore' });
    const pulse = new Pulse(folder, daemon, environment);
    try {
      await pulse.#ready(watcher);
    } finally {
      watcher.close();
    }
    pulse.#control('set-default-sink', 'loudspeaker');
    pulse.#control('set-default-source', 'microphone');
    return pulse;
  }

  /** Says a wav into the microphone; resolves when it is over. */
  async say(file: string): Promise<void> {
    const player = spawn('paplay', ['--device=mouth', file], {
      env: this.environment,
      stdio: 'ignore',
    });
    const [code] = await once(player, 'exit');
    if (code !== 0) throw new Error(`paplay ended with ${code}`);
  }

  async end(): Promise<void> {
    const gone = once(this.daemon, 'exit');
    this.daemon.kill();
    await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #ready(watcher: ReturnType<typeof watch>): Promise<void> {
    const ended = once(this.daemon, 'exit').then(() => {
      throw new Error('pulseaudio did not start');
    });
    await Promise.race([once(watcher, 'change'), ended]);
    for (let tries = 0; tries < 100; tries += 1) {
      if (this.#control('list', 'short', 'sources').includes('microphone')) return;
    }
    throw new Error('pulseaudio has no microphone');
  }

  /** What `pactl` says, empty when it cannot connect yet. */
  #control(...args: string[]): string {
    try {
      return execFileSync('pactl', args, {
        env: this.environment,
        stdio: ['ignore', 'pipe', 'ignore'],
        encoding: 'utf8',
        timeout: 5_000,
      });
    } catch {
      return '';
    }
  }
}
