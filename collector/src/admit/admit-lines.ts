/**
 * Takes decompressed NDJSON, gives each line as a document or with the reason why not.
 * Keeps: one bad line never costs the others; a reason never holds what was in the line; a large chunk does not
 * hold the event loop.
 * Times are not judged: a PC with a wrong clock is when its events are wanted most. Any time from 1970 to 9999 is taken.
 */
import { isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eachLine, LIMIT, processStartSchema } from '@launchbeat/ecs-schemas';
import type { z } from 'zod';
import { type AdmittedLine, LINE_ID_BYTES, type RejectedLine } from './admission.ts';
import { compileCheck } from './compile-check.ts';
import { isDeeperThan } from './json-depth.ts';

export interface LookedAt {
  readonly admitted: readonly AdmittedLine[];
  readonly rejected: readonly RejectedLine[];
  /** 16 bytes a line, zeros for a rejected one. */
  readonly lineIds: Buffer;
}

const isProcessStart = compileCheck(processStartSchema);

const LINES_PER_TURN = 200;
const REASON_UNITS_MAX = 200;

/** Looks at every line. `lines` is how many there are; `namespaces` those that this collector takes. */
export async function admitLines(
  raw: Buffer,
  lines: number,
  namespaces: ReadonlySet<string>,
): Promise<LookedAt> {
  const admitted: AdmittedLine[] = [];
  const rejected: RejectedLine[] = [];
  const lineIds = Buffer.alloc(lines * LINE_ID_BYTES);
  let line = 0;
  for (const bytes of eachLine(raw)) {
    line += 1;
    const found = readLine(bytes, namespaces);
    if (typeof found === 'string') rejected.push({ line, reason: found });
    else {
      admitted.push({ line, bytes, document: found });
      lineIds.write(found.event.id, (line - 1) * LINE_ID_BYTES, 'base64url');
    }
    if (line % LINES_PER_TURN === 0) await nextTurn();
  }
  return { admitted, rejected, lineIds };
}

/** The document of a line, or the reason why it is none. */
function readLine(
  bytes: Buffer,
  namespaces: ReadonlySet<string>,
): AdmittedLine['document'] | string {
  if (bytes.length === 0) return 'Line is empty';
  if (bytes.length > LIMIT.lineBytesMax) return `Line has more than ${LIMIT.lineBytesMax} bytes`;
  if (!isUtf8(bytes)) return 'Line is not UTF-8';
  if (isDeeperThan(bytes, LIMIT.jsonDepthMax)) {
    return `JSON nests deeper than ${LIMIT.jsonDepthMax} levels`;
  }
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's message quotes the text.
    return 'Line is not JSON';
  }
  const document = documentOf(value);
  if (typeof document === 'string') return document;
  return namespaces.has(document.data_stream.namespace)
    ? document
    : 'data_stream.namespace is not among elasticsearch.namespaces of the collector';
}

/** The value as a document, or what is wrong with it. Nearly every value passes the quick test. */
function documentOf(value: unknown): AdmittedLine['document'] | string {
  if (isProcessStart(value)) return value as AdmittedLine['document'];
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
