/**
 * Takes decompressed NDJSON, gives of each line what is kept of its document, or the reason why it has none.
 * Keeps: one bad line never costs the others; a reason never holds what was in the line; a large chunk does not
 * hold the event loop.
 * Times are not judged: a PC with a wrong clock is when its events are wanted most. Any time from 1970 to 9999 is taken.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
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

const LF = 0x0a;
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
  const readLine = lineReader(raw);
  let [line, start] = [0, 0];
  for (let end = raw.indexOf(LF); end !== -1; end = raw.indexOf(LF, start)) {
    line += 1;
    const found = takeLine(readLine(start, end), namespaces);
    start = end + 1;
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

/** The value of a line, in an object, or the reason why it has none. */
type Read = { readonly value: unknown } | string;

/** Gives a function that parses the line from one byte to another. What the whole body is, each line need not be asked. */
function lineReader(raw: Buffer): (start: number, end: number) => Read {
  // Every character is one byte: the quickest way to a string.
  const encoding = isAscii(raw) ? 'latin1' : 'utf8';
  const isAllUtf8 = encoding === 'latin1' || isUtf8(raw);
  return (start, end) => {
    const length = end - start;
    if (length === 0) return 'Line is empty';
    if (length > LIMIT.lineBytesMax) return `Line has more than ${LIMIT.lineBytesMax} bytes`;
    if (!isAllUtf8 && !isUtf8(raw.subarray(start, end))) return 'Line is not UTF-8';
    const text = raw.toString(encoding, start, end);
    // Few lines have so many brackets that they could nest too deep.
    if (
      hasMoreBrackets(text, LIMIT.jsonDepthMax) &&
      isDeeperThan(raw.subarray(start, end), LIMIT.jsonDepthMax)
    ) {
      return `JSON nests deeper than ${LIMIT.jsonDepthMax} levels`;
    }
    try {
      return { value: JSON.parse(text) as unknown };
    } catch {
      // The parser's message quotes the text.
      return 'Line is not JSON';
    }
  };
}

/** The document of a line, or the reason why it is none that is taken. */
function takeLine(read: Read, namespaces: ReadonlySet<string>): ProcessStart | string {
  if (typeof read === 'string') return read;
  const document = documentOf(read.value);
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
