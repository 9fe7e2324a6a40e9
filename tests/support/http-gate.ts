/**
 * A TCP proxy between two programs of a test, which can be cut, held up and slowed, and can refuse in the place of what is behind it. It
 * knows nothing of what passes.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';

export interface HttpGateOptions {
  /** Where connections go on to. */
  readonly target: { readonly host?: string; readonly port: number };
  /** Each part that passes waits this long, both ways. */
  readonly delayMs?: number;
}

export interface HttpGate {
  /** Where to connect: `127.0.0.1:<port>`. */
  readonly port: number;
  /** Ends every connection with a reset and takes no new one until `resume()`. */
  cut(): void;
  /** Takes connections and keeps them, but lets nothing pass until `resume()`. */
  pause(): void;
  /** Lets everything pass again, what waits first. */
  resume(): void;
  /**
   * Cuts the connection that passes the `bytes`-th byte from now, once. `answer` counts what comes back, so that the target
   * has the request and the sender has no answer.
   */
  cutAfter(bytes: number, direction?: 'request' | 'answer'): void;
  setDelay(delayMs: number): void;
  /** So many bytes a second pass in each direction of a connection, little by little; Infinity = no bound. */
  setRate(bytesPerSecond: number): void;
  /** Ends every connection, and answers each request itself with this status until `resume()`; for plain HTTP only. */
  refuse(status: number): void;
  /** Requests that were refused so. */
  refused(): number;
  /** Connections taken so far. */
  connections(): number;
  stop(): Promise<void>;
}

/** A cut that waits for its byte. */
interface Fuse {
  readonly direction: 'request' | 'answer';
  bytesLeft: number;
}

interface State {
  mode: 'open' | 'paused' | 'cut' | 'refusing';
  delayMs: number;
  bytesPerSecond: number;
  fuse: Fuse | undefined;
  connections: number;
  readonly sockets: Set<Socket>;
  /** What waits for `resume()`. */
  readonly waiting: (() => void)[];
}

/** Resolves when the gate lets something pass. */
async function passage(state: State): Promise<void> {
  if (state.delayMs > 0) await delay(state.delayMs);
  if (state.mode === 'paused') await new Promise<void>((resolve) => state.waiting.push(resolve));
}

/** What of `part` passes before the fuse blows; undefined = all of it. */
function burn(state: State, part: Buffer, direction: Fuse['direction']): Buffer | undefined {
  const { fuse } = state;
  if (fuse?.direction !== direction) return undefined;
  if (part.length < fuse.bytesLeft) {
    fuse.bytesLeft -= part.length;
    return undefined;
  }
  state.fuse = undefined;
  return part.subarray(0, fuse.bytesLeft);
}

/** A slow line gives a part so often a second. */
const PARTS_A_SECOND = 10;

/** Writes as slowly as the gate lets it. */
async function write(state: State, to: Socket, part: Buffer): Promise<void> {
  for (let at = 0; at < part.length && !to.destroyed; ) {
    const isSlow = state.bytesPerSecond !== Infinity;
    const length = isSlow ? Math.ceil(state.bytesPerSecond / PARTS_A_SECOND) : part.length;
    await writeAll(to, part.subarray(at, at + length));
    at += length;
    if (isSlow) await delay(1000 / PARTS_A_SECOND);
  }
}

/** Writes and waits until it is out, as far as a closed socket lets it. */
async function writeAll(to: Socket, part: Buffer): Promise<void> {
  if (to.destroyed || !to.writable) return;
  await new Promise<void>((resolve) => {
    to.once('close', resolve);
    to.write(part, () => {
      to.off('close', resolve);
      resolve();
    });
  });
}

/** Carries everything of one direction; `reset` ends both sides hard. */
async function carry(
  state: State,
  ways: { from: Socket; to: Socket; direction: Fuse['direction'] },
  reset: () => void,
): Promise<void> {
  for await (const part of ways.from as AsyncIterable<Buffer>) {
    await passage(state);
    const rest = burn(state, part, ways.direction);
    await write(state, ways.to, rest ?? part);
    if (rest !== undefined) reset();
  }
  await passage(state);
  ways.to.end();
}

function take(state: State, client: Socket, target: HttpGateOptions['target']): void {
  state.connections += 1;
  if (state.mode === 'cut') {
    client.resetAndDestroy();
    return;
  }
  const server = connect({
    host: target.host ?? '127.0.0.1',
    port: target.port,
    allowHalfOpen: true,
  });
  const reset = (): void => {
    for (const socket of [client, server]) if (!socket.destroyed) socket.resetAndDestroy();
  };
  for (const socket of [client, server]) {
    state.sockets.add(socket);
    socket.on('error', reset);
    socket.on('close', () => state.sockets.delete(socket));
  }
  carry(state, { from: client, to: server, direction: 'request' }, reset).catch(reset);
  carry(state, { from: server, to: client, direction: 'answer' }, reset).catch(reset);
}

/** Starts the gate on a port of its own. */
export async function startHttpGate(options: HttpGateOptions): Promise<HttpGate> {
  const state: State = {
    mode: 'open',
    delayMs: options.delayMs ?? 0,
    bytesPerSecond: Infinity,
    fuse: undefined,
    connections: 0,
    sockets: new Set(),
    waiting: [],
  };
  const resetAll = (): void => {
    for (const socket of state.sockets) socket.resetAndDestroy();
  };
  const wake = (): void => {
    for (const pass of state.waiting.splice(0)) pass();
  };
  let refusal = 429;
  let refused = 0;
  const refuser = createHttpServer((request, response) => {
    request.resume().once('end', () => {
      refused += 1;
      response.writeHead(refusal, { connection: 'close' }).end();
    });
  });
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    if (state.mode !== 'refusing') return take(state, client, options.target);
    state.connections += 1;
    state.sockets.add(client);
    client.on('close', () => state.sockets.delete(client));
    client.on('error', () => client.destroy());
    refuser.emit('connection', client);
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port,
    cut() {
      state.mode = 'cut';
      resetAll();
      wake();
    },
    pause() {
      state.mode = 'paused';
    },
    resume() {
      state.mode = 'open';
      wake();
    },
    cutAfter(bytes, direction = 'request') {
      state.fuse = { direction, bytesLeft: bytes };
    },
    setDelay(delayMs) {
      state.delayMs = delayMs;
    },
    setRate(bytesPerSecond) {
      state.bytesPerSecond = bytesPerSecond;
    },
    refuse(status) {
      refusal = status;
      state.mode = 'refusing';
      resetAll();
      wake();
    },
    refused: () => refused,
    connections: () => state.connections,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      resetAll();
      wake();
      await closed;
    },
  };
}
