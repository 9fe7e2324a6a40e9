/**
 * Takes saved event logs (.evtx) and the command of the bridge, gives their process starts as Windows itself reads them.
 * Keeps: one file after the other, each by a bridge of its own; one that ends before its end is reported, and the next is read.
 */
import { resolve } from 'node:path';
import { type Bridge, startBridge } from './bridge-process.ts';
import {
  BRIDGE_PROTOCOL,
  type BridgeLine,
  fileArguments,
  otherVersion,
  readBridgeLine,
} from './bridge-protocol.ts';
import { type Source, type SourceFact, unreadable } from './captured-event.ts';
import { type BatchSettings, type FilePiece, fileBatches } from './file-batches.ts';

export interface BridgeFileOptions extends BatchSettings {
  readonly files: readonly string[];
  /** Program and arguments, to which the file is added. */
  readonly command: readonly string[];
  readonly heartbeatTimeoutMs: number;
}

/** The first PowerShell after an update may take a minute to start. */
const START_TIMEOUT_MS = 90_000;

/** What a line says that is no event and no reason to stop. */
function factOf(line: BridgeLine, text: string, file: string): SourceFact | undefined {
  if (line.kind === 'warning') return { kind: 'warning', reason: `${file}: ${line.reason}` };
  if (line.kind === 'passed_over') return unreadable(file, `${line.reason}.`, '');
  return line.kind === 'event' || line.kind === 'unknown'
    ? unreadable(file, "Line is not of the bridge's protocol.", text)
    : undefined;
}

/** What some lines of the bridge hold; `refusal` = it is not to be read any further. */
function pieceOf(lines: readonly { readonly text: string }[], file: string) {
  const events: string[] = [];
  const facts: SourceFact[] = [];
  let refusal: string | undefined;
  for (const { text } of lines) {
    const line = readBridgeLine(text);
    if (line.kind === 'event' && line.xml.endsWith('</Event>')) {
      events.push(line.xml);
      continue;
    }
    if (line.kind === 'refusal') refusal = line.reason;
    if (line.kind === 'version' && line.version !== BRIDGE_PROTOCOL)
      refusal = otherVersion(line.version);
    const fact = factOf(line, text, file);
    if (fact !== undefined) facts.push(fact);
  }
  return { events, facts, refusal };
}

async function* readLines(
  bridge: Bridge,
  file: string,
  options: BridgeFileOptions,
): AsyncGenerator<FilePiece, void> {
  const brokeOff = (reason: string): FilePiece => ({
    events: [],
    facts: [unreadable(file, `Reading broke off: ${reason}`, '')],
  });
  let silenceMs = Math.max(START_TIMEOUT_MS, options.heartbeatTimeoutMs);
  for (;;) {
    const lines = await bridge.next(silenceMs);
    silenceMs = options.heartbeatTimeoutMs;
    if ('ended' in lines) {
      if (lines.code !== 0) yield brokeOff(lines.ended);
      return;
    }
    const { refusal, ...piece } = pieceOf(lines, file);
    yield piece;
    if (refusal !== undefined) {
      yield brokeOff(refusal);
      return;
    }
  }
}

/** Makes the source of saved logs that Windows reads. */
export function createBridgeFileSource(options: BridgeFileOptions): Source {
  const { files, command, heartbeatTimeoutMs } = options;
  async function* pieces(signal: AbortSignal): AsyncGenerator<FilePiece, void> {
    for (const file of files) {
      // A relative path would be looked up in the folder of the bridge.
      const settings = { parentPid: process.pid, heartbeatTimeoutMs };
      const bridge = startBridge([...command, ...fileArguments(resolve(file), settings)]);
      const stop = (): void => void bridge.close();
      signal.addEventListener('abort', stop, { once: true });
      try {
        yield* readLines(bridge, file, options);
      } finally {
        signal.removeEventListener('abort', stop);
        await bridge.close();
      }
    }
  }
  return {
    name: 'evtx',
    batches: (_from, signal) => fileBatches(pieces(signal), options, signal),
  };
}
