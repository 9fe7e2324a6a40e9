/**
 * Takes bytes of NDJSON, gives its lines as views (no copy).
 * Keeps: a line ends with LF; what follows the last LF is no line.
 */

const LF = 0x0a;

/** Each whole line without its LF, in order. */
export function* eachLine(bytes: Buffer): Generator<Buffer> {
  let start = 0;
  for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

/** How many whole lines there are. */
export function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) lines += 1;
  return lines;
}

/** Bytes up to and with the last LF; 0 if there is none. */
export function wholeLinesBytes(bytes: Buffer): number {
  return bytes.lastIndexOf(LF) + 1;
}
