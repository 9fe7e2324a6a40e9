/**
 * Takes bytes in pieces, gives whole lines as text.
 * Keeps: memory bounded by the line limit; a line past it is given cut and marked, the rest of it is skipped up to its LF.
 */

/** One line without its line end. */
export interface BoundedLine {
  readonly text: string;
  /** The line was longer than the limit; `text` is its beginning. */
  readonly overlong: boolean;
}

export interface LineSplitter {
  /** Takes the next piece and gives the lines that it completes. */
  push(bytes: Buffer): BoundedLine[];
  /** What came since the last LF: no line, since its end never came. */
  rest(): string;
}

const LF = 0x0a;
const CR = 0x0d;

/** Makes a splitter for UTF-8 lines of at most `lineBytesMax` bytes. Bytes that are no UTF-8 become U+FFFD. */
export function createLineSplitter(lineBytesMax: number): LineSplitter {
  let parts: Buffer[] = [];
  let size = 0;
  let overlong = false;

  function take(piece: Buffer): void {
    if (overlong) return;
    const room = lineBytesMax - size;
    // Copied, so that a small rest does not keep a large read buffer alive.
    parts.push(Buffer.from(piece.subarray(0, room)));
    size += Math.min(piece.length, room);
    overlong = piece.length > room;
  }

  function text(): string {
    const line = Buffer.concat(parts);
    const end = line[line.length - 1] === CR ? line.length - 1 : line.length;
    return line.toString('utf8', 0, end);
  }

  return {
    push(bytes) {
      const lines: BoundedLine[] = [];
      let start = 0;
      for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
        take(bytes.subarray(start, end));
        lines.push({ text: text(), overlong });
        parts = [];
        size = 0;
        overlong = false;
        start = end + 1;
      }
      if (start < bytes.length) take(bytes.subarray(start));
      return lines;
    },
    rest: text,
  };
}
