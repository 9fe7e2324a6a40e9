/**
 * Where in a text a secret stands, and the work on many of them: put in order, united, replaced.
 * Keeps: what one rule found another cannot uncover; text outside of spans stays as it is.
 */

/** Half-open range in UTF-16 units. */
export interface SecretSpan {
  readonly start: number;
  readonly end: number;
  /** What it is, e.g. `password`; lower case, one word. */
  readonly kind: string;
}

/** What a redacted secret looks like: its kind and 8 hex digits of a keyed HMAC. */
const MARK = /‹redacted:[a-z0-9_]{1,32}:[0-9a-f]{8}›/g;

/** The spans that are no part of a mark which is there already. */
function outsideMarks(sorted: readonly SecretSpan[], text: string): readonly SecretSpan[] {
  if (!text.includes('‹redacted:')) return sorted;
  const marks = [...text.matchAll(MARK)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }));
  let at = 0;
  return sorted.filter((span) => {
    while (at < marks.length && (marks[at]?.end ?? 0) <= span.start) at += 1;
    const mark = marks[at];
    if (mark === undefined || span.start < mark.start) return true;
    return span.start === mark.start && span.end > mark.end;
  });
}

/** The spans in order, overlapping ones united under the kind of the longest; none inside of a mark that is there already. */
export function mergeSpans(spans: readonly SecretSpan[], text: string): SecretSpan[] {
  const merged: SecretSpan[] = [];
  const sorted = spans.toSorted((a, b) => a.start - b.start || b.end - a.end);
  for (const span of outsideMarks(sorted, text)) {
    const before = merged.at(-1);
    if (before === undefined || span.start >= before.end) {
      merged.push(span);
    } else if (span.end > before.end) {
      const longest = before.end - before.start >= span.end - span.start ? before : span;
      merged[merged.length - 1] = { start: before.start, end: span.end, kind: longest.kind };
    }
  }
  return merged;
}

/** The text with each span replaced. Spans are in order and do not overlap. */
export function replaceSpans(
  text: string,
  spans: readonly SecretSpan[],
  mark: (kind: string, secret: string) => string,
): string {
  let redacted = '';
  let at = 0;
  for (const span of spans) {
    redacted += text.slice(at, span.start);
    redacted += mark(span.kind, text.slice(span.start, span.end));
    at = span.end;
  }
  return redacted + text.slice(at);
}
