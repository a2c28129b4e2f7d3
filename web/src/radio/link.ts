import type { ClientMessage } from '../gen/ClientMessage';
import type { Code } from '../gen/Code';
import { CLOSED, POLICY } from '../gen/codes';
import type { Device } from '../gen/Device';
import type { Resume } from '../gen/Resume';
import type { ServerMessage } from '../gen/ServerMessage';
import { backoff } from './backoff';
import type { Clock } from './clock';
import type { Link as LinkState } from './model';
import type { Refusal } from './refusal';

/** A socket that is being opened or open. */
export interface Socket {
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface SocketEvents {
  opened(): void;
  text(text: string): void;
  binary(bytes: ArrayBuffer): void;
  /** The last event of a socket. */
  closed(code: number): void;
}

export type Welcome = Extract<ServerMessage, { type: 'welcome' }>;

export type Hello = Extract<ClientMessage, { type: 'hello' }>;

export interface LinkEvents {
  changed(link: LinkState): void;
  welcomed(welcome: Welcome): void;
  /** Any message but those the link itself lives by. */
  message(message: ServerMessage): void;
  voice(bytes: ArrayBuffer): void;
  /** A welcomed connection ended. */
  lost(): void;
}

export interface LinkOptions {
  clock: Clock;
  /** 0..1. */
  random(): number;
  open(events: SocketEvents): Socket;
  /** Name and version in `hello`. */
  client: string;
  economy(): boolean;
  /** Place and ranges, when there are any: each connection begins without. */
  place(): Pick<Hello, 'place' | 'range'>;
  /** What one runs on, for the connection log. */
  device(): Device;
  /** What is known of bursts, for a resume. */
  heard(): Omit<Resume, 'token'>;
  /** Asks over HTTP why a socket did not open. */
  probe(): Promise<Probed>;
}

/** A refusal ends the link; else it tries again, whether the server answered over HTTP or not. */
export type Probed = Refusal | 'answered' | null;

/** From the first packet to `welcome`, in ms. */
const GREETING_LIMIT = 10_000;
/** A link on which nothing came for so long is asked; one that does not answer that is given up, in ms. */
const QUIET = 20_000;
const ANSWER = 10_000;
/** A connection that stood so long has earned a fast first retry. */
const STANDING = 5_000;
/** So many sockets in a row that did not open, while HTTP was answered, are no accident. */
const BARRED = 3;
/** Closed for these reasons, a link does not come back by itself: docs/protocol.md, 2. */
const FINAL: (Code | undefined)[] = ['logged_out', 'erased', 'replaced', 'displaced'];

/** The connection to the server: opens, greets, keeps alive, comes back. Never reloads the page. */
export class Link {
  #phase: 'idle' | 'opening' | 'greeting' | 'up' | 'probing' | 'waiting' | 'gone' = 'idle';
  #socket: Socket | null = null;
  /** Events of a socket that was given up carry an older number. */
  #generation = 0;
  #attempt = 0;
  #token: string | null = null;
  #backIn: number | null = null;
  #barred = 0;
  #upSince = 0;
  #heardAt = 0;
  #pings = 0;
  #cancelTimer = () => {};
  #cancelPing = () => {};

  constructor(
    private readonly options: LinkOptions,
    private readonly events: LinkEvents,
  ) {}

  get isUp(): boolean {
    return this.#phase === 'up';
  }

  /** Connects for the first time, or again after `gone`. */
  start(): void {
    this.#attempt = 0;
    this.events.changed({ state: 'connecting' });
    this.#connect();
  }

  /** Ends the link without coming back; forgets the resume token. */
  stop(): void {
    this.#abandon();
    this.#token = null;
    this.#phase = 'idle';
  }

  /** Sends when the link is up; false when it is not. */
  send(message: ClientMessage): boolean {
    if (!this.isUp) return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  sendVoice(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (!this.isUp) return false;
    this.#socket?.send(bytes);
    return true;
  }

  /** The network or the page woke up: tries now, or asks the server for a sign of life. */
  nudge(): void {
    if (this.#phase === 'waiting') this.#connect();
    else if (this.#phase === 'up') this.#ping();
  }

  /** A new connection that resumes this one, e.g. because what `hello` says has changed. */
  renew(): void {
    if (!this.isUp) return;
    this.#end();
    this.#connect();
  }

  #connect(): void {
    this.#abandon();
    this.#phase = 'opening';
    const generation = this.#generation;
    const current = () => generation === this.#generation;
    this.#cancelTimer = this.options.clock.after(GREETING_LIMIT, () => this.#down(0));
    this.#socket = this.options.open({
      opened: () => current() && this.#greet(),
      text: (text) => current() && this.#text(text),
      binary: (bytes) => {
        if (!current()) return;
        this.#heardAt = this.options.clock.now();
        this.events.voice(bytes);
      },
      closed: (code) => current() && this.#down(code),
    });
  }

  #greet(): void {
    this.#phase = 'greeting';
    const { client, device, place } = this.options;
    const hello: Hello = { type: 'hello', client, device: device(), ...place() };
    if (this.#token) hello.resume = { token: this.#token, ...this.options.heard() };
    if (this.options.economy()) hello.economy = true;
    this.#socket?.send(JSON.stringify(hello));
  }

  #text(text: string): void {
    this.#heardAt = this.options.clock.now();
    const message = parse(text);
    if (!message) return;
    if (message.type === 'welcome') this.#up(message);
    else if (message.type === 'going_away') this.#backIn = message.back_in_ms;
    else if (message.type !== 'pong') this.events.message(message);
  }

  #up(welcome: Welcome): void {
    this.#cancelTimer();
    this.#phase = 'up';
    this.#token = welcome.resume;
    this.#backIn = null;
    this.#barred = 0;
    this.#upSince = this.options.clock.now();
    this.#watch();
    this.events.welcomed(welcome);
    this.events.changed({ state: 'on_the_air' });
  }

  #watch(): void {
    const { clock } = this.options;
    const left = this.#heardAt + QUIET - clock.now();
    this.#cancelPing();
    if (left > 0) this.#cancelPing = clock.after(left, () => this.#watch());
    else this.#ping();
  }

  #ping(): void {
    const { clock } = this.options;
    const asked = clock.now();
    this.#pings += 1;
    this.send({ type: 'ping', n: this.#pings });
    this.#cancelPing();
    this.#cancelPing = clock.after(ANSWER, () => {
      // Anything that came since is a sign of life, not only the pong.
      if (this.#heardAt >= asked) this.#watch();
      else this.#down(0);
    });
  }

  /** The socket closed with `code`, or was given up (0). */
  #down(code: number): void {
    const greeted = this.#phase === 'up';
    const opened = this.#phase !== 'opening';
    if (greeted && this.options.clock.now() - this.#upSince >= STANDING) this.#attempt = 0;
    this.#end();
    const why = CLOSED[code];
    if (why && FINAL.includes(why)) this.#gone({ code: why });
    else if (greeted && code !== POLICY) this.#wait();
    else this.#probe(opened);
  }

  /** The page cannot see why an upgrade was refused, so it asks over HTTP. */
  #probe(opened: boolean): void {
    this.#phase = 'probing';
    const generation = this.#generation;
    void this.options.probe().then((probed) => {
      if (generation !== this.#generation) return;
      this.#barred = probed === 'answered' && !opened ? this.#barred + 1 : 0;
      if (probed === null || probed === 'answered') this.#wait();
      else this.#gone(probed);
    });
  }

  #wait(): void {
    const { clock, random } = this.options;
    const backIn = this.#backIn;
    this.#backIn = null;
    const delay = backIn === null ? backoff(this.#attempt, random()) : backIn + random() * backIn;
    this.#attempt += 1;
    this.#phase = 'waiting';
    this.#cancelTimer = clock.after(delay, () => this.#connect());
    this.events.changed({
      state: 'coming_back',
      retryAt: clock.now() + delay,
      why: backIn !== null ? 'going_away' : this.#barred < BARRED ? 'lost' : 'barred',
    });
  }

  #gone(refusal: Refusal): void {
    this.#token = null;
    this.#phase = 'gone';
    this.events.changed({ state: 'gone', refusal });
  }

  /** Leaves the socket behind and tells of the loss. */
  #end(): void {
    const wasUp = this.#phase === 'up';
    this.#abandon();
    this.#phase = 'idle';
    if (wasUp) this.events.lost();
  }

  #abandon(): void {
    this.#cancelTimer();
    this.#cancelPing();
    this.#generation += 1;
    this.#socket?.close();
    this.#socket = null;
  }
}

/** Null for what this version does not know: clients ignore it. */
function parse(text: string): ServerMessage | null {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null && 'type' in message
      ? (message as ServerMessage)
      : null;
  } catch {
    return null;
  }
}
