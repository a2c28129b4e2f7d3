/** The sound of a device, as a test wants it: an `AudioContext` that a call interrupts, and what hangs on it. */

import { vi } from 'vitest';

export class FakeNode {
  readonly port: { onmessage: unknown; onmessageerror: (() => void) | null; said: unknown[] };
  onprocessorerror: (() => void) | null = null;
  static made: FakeNode[] = [];
  constructor() {
    const said: unknown[] = [];
    const port = { onmessage: null, onmessageerror: null, said };
    this.port = Object.assign(port, { postMessage: (message: unknown) => said.push(message) });
    FakeNode.made.push(this);
  }
  connect(to: unknown): unknown {
    return to;
  }
  /** The worklet says something. */
  tell(data: unknown): void {
    (this.port.onmessage as (event: { data: unknown }) => void)({ data });
  }
}

export class FakeContext {
  static made: FakeContext[] = [];
  /** What `resume` does: it answers, throws as during a call, or never answers. */
  static resuming: 'answers' | 'throws' | 'hangs' = 'answers';
  static module: Error | null = null;
  state = 'running';
  onstatechange: (() => void) | null = null;
  readonly destination = {};
  readonly audioWorklet = {
    addModule: async () => {
      if (FakeContext.module) throw FakeContext.module;
    },
  };
  constructor() {
    FakeContext.made.push(this);
  }
  createMediaStreamSource(): FakeNode {
    return new FakeNode();
  }
  resume(): Promise<void> {
    if (FakeContext.resuming === 'throws') {
      return Promise.reject(new DOMException('a call', 'InvalidStateError'));
    }
    if (FakeContext.resuming === 'hangs') return new Promise(() => {});
    this.become('running');
    return Promise.resolve();
  }
  close(): Promise<void> {
    if (this.state === 'closed') return Promise.reject(new DOMException('', 'InvalidStateError'));
    this.become('closed');
    return Promise.resolve();
  }
  become(state: string): void {
    this.state = state;
    this.onstatechange?.();
  }
}

export class FakeWorker {
  static made: FakeWorker[] = [];
  onerror: (() => void) | null = null;
  onmessageerror: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  readonly asked: { type: string }[] = [];
  ended = false;
  constructor() {
    FakeWorker.made.push(this);
  }
  postMessage(message: { type: string }): void {
    this.asked.push(message);
  }
  terminate(): void {
    this.ended = true;
  }
}

/** Puts them in the place of the browser's. `vi.unstubAllGlobals` takes them away. */
export function fakeAudio(): void {
  FakeContext.made = [];
  FakeNode.made = [];
  FakeWorker.made = [];
  FakeContext.resuming = 'answers';
  FakeContext.module = null;
  vi.stubGlobal('AudioContext', FakeContext);
  vi.stubGlobal('AudioWorkletNode', FakeNode);
  vi.stubGlobal('Worker', FakeWorker);
}
