/**
 * Takes decompressed NDJSON, gives of each line what is kept of its document, or the reason why it has none.
 * Keeps: one bad line never costs the others; a reason never holds what was in the line; a large chunk does not
 * hold the event loop.
 * Times are not judged: a PC with a wrong clock is when its events are wanted most. Any time from 1970 to 9999 is taken.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  eachLine,
  LIMIT,
  type ProcessStart,
  processStartSchema,
  systemTimeMs,
} from '@launchbeat/ecs-schemas';
import type { z } from 'zod';
import { type AdmittedLine, type Keep, LINE_ID_BYTES, type RejectedLine } from './admission.ts';
import { compileCheck } from './compile-check.ts';
import { hasMoreBrackets, isDeeperThan } from './json-depth.ts';

export interface LookedAt<Kept> {
  readonly admitted: readonly AdmittedLine<Kept>[];
  readonly rejected: readonly RejectedLine[];
  /** 16 bytes a line, zeros for a rejected one. */
  readonly lineIds: Buffer;
  /** What the admitted lines say, each once: `agent.id` in lower case, `winlog.computer_name`, `data_stream.namespace`. */
  readonly agentIds: ReadonlySet<string>;
  readonly computers: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<string>;
  /** `event.created` of the last admitted line, Unix milliseconds; 0 where there is none. */
  readonly lastCreatedMs: number;
}

const isProcessStart = compileCheck(processStartSchema);

const LINES_PER_TURN = 200;
const REASON_UNITS_MAX = 200;

/** Looks at every line. `lines` is how many there are; `namespaces` those that this collector takes. */
export async function admitLines<Kept>(
  raw: Buffer,
  lines: number,
  namespaces: ReadonlySet<string>,
  keep: Keep<Kept>,
): Promise<LookedAt<Kept>> {
  const admitted: AdmittedLine<Kept>[] = [];
  const rejected: RejectedLine[] = [];
  const lineIds = Buffer.alloc(lines * LINE_ID_BYTES);
  const said = {
    agentIds: new Set<string>(),
    computers: new Set<string>(),
    namespaces: new Set<string>(),
  };
  let lastCreated = '';
  const readLine = lineReader(raw, namespaces);
  let line = 0;
  for (const bytes of eachLine(raw)) {
    line += 1;
    const found = readLine(bytes);
    if (typeof found === 'string') rejected.push({ line, reason: found });
    else {
      const { event, agent, winlog, data_stream: stream } = found;
      lineIds.write(event.id, (line - 1) * LINE_ID_BYTES, 'base64url');
      said.agentIds.add(agent.id.toLowerCase());
      said.computers.add(winlog.computer_name);
      said.namespaces.add(stream.namespace);
      lastCreated = event.created;
      admitted.push({ line, eventId: event.id, kept: keep(found) });
    }
    if (line % LINES_PER_TURN === 0) await nextTurn();
  }
  return { admitted, rejected, lineIds, ...said, lastCreatedMs: systemTimeMs(lastCreated) ?? 0 };
}

/** Gives a function that takes a line of the body, gives its document or the reason why it has none that is taken. */
function lineReader(
  raw: Buffer,
  namespaces: ReadonlySet<string>,
): (bytes: Buffer) => ProcessStart | string {
  // What holds for the whole body each line need not be asked. ASCII: a byte a character, the quickest way to a string.
  const encoding = isAscii(raw) ? 'latin1' : 'utf8';
  const isAllUtf8 = encoding === 'latin1' || isUtf8(raw);
  return (bytes) => {
    if (bytes.length === 0) return 'Line is empty';
    if (bytes.length > LIMIT.lineBytesMax) return `Line has more than ${LIMIT.lineBytesMax} bytes`;
    if (!isAllUtf8 && !isUtf8(bytes)) return 'Line is not UTF-8';
    const text = bytes.toString(encoding);
    // Few lines have so many brackets that they could nest too deep.
    if (hasMoreBrackets(text, LIMIT.jsonDepthMax) && isDeeperThan(bytes, LIMIT.jsonDepthMax)) {
      return `JSON nests deeper than ${LIMIT.jsonDepthMax} levels`;
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // The parser's message quotes the text.
      return 'Line is not JSON';
    }
    return takenDocument(value, namespaces);
  };
}

/** The value as a document of a namespace that is taken, or why it is none. */
function takenDocument(value: unknown, namespaces: ReadonlySet<string>): ProcessStart | string {
  const document = documentOf(value);
  if (typeof document === 'string') return document;
  return namespaces.has(document.data_stream.namespace)
    ? document
    : 'data_stream.namespace is not among elasticsearch.namespaces of the collector';
}

/** The value as a document, or what is wrong with it. Nearly every value passes the quick test. */
function documentOf(value: unknown): ProcessStart | string {
  if (isProcessStart(value)) return value as ProcessStart;
  const parsed = processStartSchema.safeParse(value);
  return parsed.success ? parsed.data : reasonOf(parsed.error);
}

/** The first thing that is wrong, and where. Names below event_data are the event's own, so the path ends there. */
function reasonOf(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'Document is not valid';
  const path: PropertyKey[] = [];
  for (const name of issue.path) {
    path.push(name);
    if (name === 'event_data') break;
  }
  return `${path.map(String).join('.') || 'document'}: ${issue.message}`.slice(0, REASON_UNITS_MAX);
}
