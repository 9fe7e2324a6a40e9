/**
 * Takes a query in Kibana's query language, gives its tree or says where it is wrong.
 * Keeps: the grammar of Kibana's parser (kbn-es-query, grammar.peggy), its oddities included: an unquoted value may hold spaces and
 * ends only at a special character or at ` and `, ` or `, `not `.
 */

/** A value: its text with the escapes undone; `parts` are the stretches between wildcards. */
export interface KqlValue {
  readonly text: string;
  readonly quoted: boolean;
  /** One stretch: no wildcard. */
  readonly parts: readonly string[];
}

export type RangeOperator = 'lt' | 'lte' | 'gt' | 'gte';

export type KqlNode =
  | { readonly type: 'and' | 'or'; readonly nodes: readonly KqlNode[] }
  | { readonly type: 'not'; readonly node: KqlNode }
  /** `field` is absent when the query names none: any field may match. */
  | { readonly type: 'is'; readonly field?: KqlValue; readonly value: KqlValue }
  | {
      readonly type: 'range';
      readonly field: KqlValue;
      readonly operator: RangeOperator;
      readonly value: KqlValue;
    }
  | { readonly type: 'nested'; readonly field: KqlValue; readonly node: KqlNode };

export type KqlOutcome =
  /** An empty query has no tree: it matches all. */
  | { readonly outcome: 'done'; readonly node: KqlNode | undefined }
  | { readonly outcome: 'refused'; readonly reason: string };

class KqlError extends Error {}

const SPACE = /[ \t\r\n\u00A0]/;
const SPECIAL = /[\\():<>"*{}]/;
const KEYWORD = /^(?:[ \t\r\n\u00A0]+(?:or|and)[ \t\r\n\u00A0]+|not[ \t\r\n\u00A0]+)/i;
const ESCAPED_WHITESPACE: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' };
const OPERATORS: readonly (readonly [string, RangeOperator])[] = [
  ['<=', 'lte'],
  ['>=', 'gte'],
  ['<', 'lt'],
  ['>', 'gt'],
];

/** A text with a place in it. */
interface Reader {
  readonly text: string;
  at: number;
}

const fail = (reader: Reader, wanted: string): never => {
  const found =
    reader.at < reader.text.length
      ? `"${reader.text.slice(reader.at, reader.at + 12)}"`
      : 'the end';
  throw new KqlError(`expected ${wanted} at character ${reader.at + 1}, found ${found}`);
};

const rest = (reader: Reader): string => reader.text.slice(reader.at);

function skipSpace(reader: Reader): void {
  while (SPACE.test(reader.text.charAt(reader.at))) reader.at += 1;
}

function take(reader: Reader, text: string): boolean {
  if (!reader.text.startsWith(text, reader.at)) return false;
  reader.at += text.length;
  return true;
}

function takeMatch(reader: Reader, pattern: RegExp): string | undefined {
  const found = pattern.exec(rest(reader))?.[0];
  if (found !== undefined) reader.at += found.length;
  return found;
}

function quotedValue(reader: Reader): KqlValue {
  reader.at += 1;
  let text = '';
  for (;;) {
    const character = reader.text.charAt(reader.at);
    if (character === '') return fail(reader, 'a closing quote');
    reader.at += 1;
    if (character === '"') return { text, quoted: true, parts: [text] };
    if (character !== '\\') {
      text += character;
      continue;
    }
    text += quotedEscape(reader);
  }
}

/** After a backslash within quotes. Kibana leaves one that escapes nothing as it is. */
function quotedEscape(reader: Reader): string {
  const unicode = takeMatch(reader, /^u[0-9a-f]{4}/i);
  if (unicode !== undefined) return String.fromCharCode(Number.parseInt(unicode.slice(1), 16));
  const next = reader.text.charAt(reader.at);
  if (next === '\\' || next === '"') {
    reader.at += 1;
    return next;
  }
  const whitespace = ESCAPED_WHITESPACE[next];
  if (whitespace === undefined) return '\\';
  reader.at += 1;
  return whitespace;
}

/** After a backslash outside quotes: a special character, whitespace, a code point or a keyword; nothing else. */
function bareEscape(reader: Reader): string {
  const unicode = takeMatch(reader, /^u[0-9a-f]{4}/i);
  if (unicode !== undefined) return String.fromCharCode(Number.parseInt(unicode.slice(1), 16));
  const next = reader.text.charAt(reader.at);
  const whitespace = ESCAPED_WHITESPACE[next];
  if (whitespace !== undefined) {
    reader.at += 1;
    return whitespace;
  }
  if (next !== '' && SPECIAL.test(next)) {
    reader.at += 1;
    return next;
  }
  const keyword = takeMatch(reader, /^(?:or|and|not)/i);
  return keyword ?? fail(reader, 'a character that may be escaped');
}

function bareValue(reader: Reader): KqlValue {
  const parts = [''];
  const add = (text: string): void => {
    parts[parts.length - 1] += text;
  };
  const start = reader.at;
  while (reader.at < reader.text.length) {
    const character = reader.text.charAt(reader.at);
    if (character === '\\') {
      reader.at += 1;
      add(bareEscape(reader));
    } else if (character === '*') {
      reader.at += 1;
      parts.push('');
    } else if (SPECIAL.test(character) || KEYWORD.test(rest(reader))) break;
    else {
      reader.at += 1;
      add(character);
    }
  }
  if (reader.at === start) return fail(reader, 'a field or a value');
  const last = parts.length - 1;
  parts[0] = (parts[0] ?? '').trimStart();
  parts[last] = (parts[last] ?? '').trimEnd();
  return { text: parts.join('*'), quoted: false, parts };
}

const valueAt = (reader: Reader): KqlValue =>
  reader.text.charAt(reader.at) === '"' ? quotedValue(reader) : bareValue(reader);

/** `one or one …`, where ` and ` binds closer and `not ` closest. */
function logic(reader: Reader, one: (reader: Reader) => KqlNode): KqlNode {
  const joined = (word: 'or' | 'and', next: () => KqlNode): KqlNode => {
    const nodes = [next()];
    const pattern = new RegExp(`^[ \\t\\r\\n\\u00A0]+${word}[ \\t\\r\\n\\u00A0]+`, 'i');
    while (takeMatch(reader, pattern) !== undefined) nodes.push(next());
    const [only] = nodes;
    return nodes.length === 1 && only !== undefined ? only : { type: word, nodes };
  };
  const negated = (): KqlNode =>
    takeMatch(reader, /^not[ \t\r\n\u00A0]+/i) === undefined
      ? one(reader)
      : { type: 'not', node: one(reader) };
  return joined('or', () => joined('and', negated));
}

function inBrackets(
  reader: Reader,
  [open, close]: readonly [string, string],
  inside: () => KqlNode,
): KqlNode | undefined {
  if (!take(reader, open)) return undefined;
  skipSpace(reader);
  const node = inside();
  skipSpace(reader);
  if (!take(reader, close)) return fail(reader, `"${close}"`);
  return node;
}

/** What follows `field :`: one value or a list in brackets. */
function values(reader: Reader, field: KqlValue): KqlNode {
  const list = inBrackets(reader, ['(', ')'], () => logic(reader, () => values(reader, field)));
  return list ?? { type: 'is', field, value: valueAt(reader) };
}

function expression(reader: Reader): KqlNode {
  const group = inBrackets(reader, ['(', ')'], () => logic(reader, expression));
  if (group !== undefined) return group;
  const first = valueAt(reader);
  const afterFirst = reader.at;
  skipSpace(reader);
  if (take(reader, ':')) {
    skipSpace(reader);
    const nested = inBrackets(reader, ['{', '}'], () => logic(reader, expression));
    return nested === undefined
      ? values(reader, first)
      : { type: 'nested', field: first, node: nested };
  }
  for (const [sign, operator] of OPERATORS) {
    if (!take(reader, sign)) continue;
    skipSpace(reader);
    return { type: 'range', field: first, operator, value: valueAt(reader) };
  }
  reader.at = afterFirst;
  return { type: 'is', value: first };
}

export function parseKql(text: string): KqlOutcome {
  const reader: Reader = { text, at: 0 };
  skipSpace(reader);
  if (reader.at === text.length) return { outcome: 'done', node: undefined };
  try {
    const node = logic(reader, expression);
    skipSpace(reader);
    if (reader.at < text.length) fail(reader, '"and", "or" or the end');
    return { outcome: 'done', node };
  } catch (error) {
    if (error instanceof KqlError) return { outcome: 'refused', reason: error.message };
    throw error;
  }
}

/** Every condition of a tree, whatever joins them. */
export function conditionsOf(node: KqlNode): Extract<KqlNode, { type: 'is' | 'range' }>[] {
  switch (node.type) {
    case 'and':
    case 'or':
      return node.nodes.flatMap(conditionsOf);
    case 'not':
    case 'nested':
      return conditionsOf(node.node);
    case 'is':
    case 'range':
      return [node];
  }
}
