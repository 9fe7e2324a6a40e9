/**
 * Takes a message in Telegram's HTML, gives its plain text and entities, or the refusal that the Bot API words.
 * Source: https://core.telegram.org/bots/api#html-style; wording and byte offsets as TDLib gives them (td/telegram/MessageEntity.cpp).
 * Keeps: what Telegram lets pass passes (`&nbsp;` and a lone `&` stay as they are), what it refuses is refused.
 */

export interface TelegramEntity {
  readonly type: string;
  /** In UTF-16 units of the plain text. */
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
  readonly language?: string;
  readonly custom_emoji_id?: string;
}

export type ParsedHtml =
  | {
      readonly outcome: 'done';
      readonly text: string;
      readonly entities: readonly TelegramEntity[];
    }
  | { readonly outcome: 'refused'; readonly reason: string };

const ENTITY_OF_TAG: Readonly<Record<string, string>> = {
  a: 'text_link',
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  span: 'spoiler',
  'tg-spoiler': 'spoiler',
  'tg-emoji': 'custom_emoji',
  code: 'code',
  pre: 'pre',
  blockquote: 'blockquote',
};

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };
const CODE_POINT_MAX = 0x10ffff;
const REFERENCE_UNITS_MAX = 9;

class Refusal extends Error {}

/** A place in the source. Reads and moves on; the end of the source counts as a space, as it does in TDLib. */
interface Cursor {
  readonly source: string;
  at: number;
}

const current = (cursor: Cursor): string => cursor.source.charAt(cursor.at);
const isSpace = (unit: string): boolean => unit === '' || /[ \t\r\n\v\0]/.test(unit);
const byteOffset = (source: string, at: number): number => Buffer.byteLength(source.slice(0, at));

/** Reads while `wanted` holds; gives what was read. */
function readWhile(cursor: Cursor, wanted: (unit: string) => boolean): string {
  const begin = cursor.at;
  while (cursor.at < cursor.source.length && wanted(current(cursor))) cursor.at += 1;
  return cursor.source.slice(begin, cursor.at);
}

const skipSpaces = (cursor: Cursor): string => readWhile(cursor, isSpace);

/** Decodes a character reference at the cursor and moves behind it; undefined (and no move) when Telegram knows none there. */
function readReference(cursor: Cursor): string | undefined {
  const rest = cursor.source.slice(cursor.at, cursor.at + 64);
  const numeric = /^&#(?:x([0-9a-f]*)|(\d*))/i.exec(rest);
  const named = /^&([a-z]+)/i.exec(rest);
  const found = numeric ?? named;
  if (!found) return undefined;
  let text = NAMED[named?.[1] ?? ''];
  if (numeric) {
    if (rest.startsWith('&#X')) return undefined;
    const digits = numeric[1] ?? numeric[2] ?? '';
    const code = Number.parseInt(digits || '0', numeric[1] === undefined ? 10 : 16);
    const isCharacter = code > 0 && code < CODE_POINT_MAX && found[0].length <= REFERENCE_UNITS_MAX;
    text = isCharacter ? String.fromCodePoint(code) : undefined;
  }
  if (text === undefined) return undefined;
  cursor.at += found[0].length;
  if (current(cursor) === ';') cursor.at += 1;
  return text;
}

/** The value of an attribute: a name token or a string in quotes. The cursor stands on its first unit. */
function readValue(cursor: Cursor, begin: number): string {
  const quote = current(cursor);
  if (quote !== '"' && quote !== "'") {
    const tokenBegin = cursor.at;
    const token = readWhile(cursor, (unit) => /[a-zA-Z0-9.-]/.test(unit));
    if (!isSpace(current(cursor)) && current(cursor) !== '>') {
      throw new Refusal(
        `Unexpected end of name token at byte offset ${byteOffset(cursor.source, tokenBegin)}`,
      );
    }
    return token.toLowerCase();
  }
  cursor.at += 1;
  let value = '';
  while (current(cursor) !== quote) {
    if (current(cursor) === '') {
      throw new Refusal(`Unclosed start tag at byte offset ${byteOffset(cursor.source, begin)}`);
    }
    const decoded = current(cursor) === '&' ? readReference(cursor) : undefined;
    value += decoded ?? current(cursor);
    if (decoded === undefined) cursor.at += 1;
  }
  cursor.at += 1;
  return value;
}

/** One attribute `name` or `name = value`; the cursor stands on the name. */
function readAttribute(cursor: Cursor, tag: string, begin: number): readonly [string, string] {
  const place = `at byte offset ${byteOffset(cursor.source, begin)}`;
  const name = readWhile(cursor, (unit) => !isSpace(unit) && unit !== '=' && unit !== '>');
  if (name === '') throw new Refusal(`Empty attribute name in the tag "${tag}" ${place}`);
  skipSpaces(cursor);
  if (current(cursor) !== '=') return [name, ''];
  cursor.at += 1;
  skipSpaces(cursor);
  if (current(cursor) === '') throw new Refusal(`Unclosed start tag "${tag}" ${place}`);
  return [name, readValue(cursor, begin)];
}

interface OpenTag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Where its text begins, in UTF-16 units of the plain text. */
  readonly offset: number;
}

/** `<name attribute=value …>`; the cursor stands behind the `<`. */
function readStartTag(cursor: Cursor, begin: number, offset: number): OpenTag {
  const place = `at byte offset ${byteOffset(cursor.source, begin)}`;
  const name = readWhile(cursor, (unit) => !isSpace(unit) && unit !== '>').toLowerCase();
  if (current(cursor) === '') throw new Refusal(`Unclosed start tag ${place}`);
  if (!Object.hasOwn(ENTITY_OF_TAG, name)) {
    throw new Refusal(`Unsupported start tag "${name}" ${place}`);
  }
  const attributes = new Map<string, string>();
  for (;;) {
    skipSpaces(cursor);
    if (current(cursor) === '>') break;
    if (current(cursor) === '') throw new Refusal(`Unclosed start tag ${place}`);
    attributes.set(...readAttribute(cursor, name, begin));
  }
  cursor.at += 1;
  if (name === 'span' && attributes.get('class') !== 'tg-spoiler') {
    throw new Refusal(`Tag "span" must have class "tg-spoiler" ${place}`);
  }
  return { name, attributes, offset };
}

/** `</name>` or `</>`; the cursor stands on the `/`. Gives the name, which may be empty. */
function readEndTag(cursor: Cursor, begin: number, open: OpenTag | undefined): OpenTag {
  const place = `at byte offset ${byteOffset(cursor.source, begin)}`;
  if (!open) throw new Refusal(`Unexpected end tag ${place}`);
  cursor.at += 1;
  const name = readWhile(cursor, (unit) => !isSpace(unit) && unit !== '>').toLowerCase();
  skipSpaces(cursor);
  if (current(cursor) !== '>') throw new Refusal(`Unclosed end tag ${place}`);
  cursor.at += 1;
  if (name !== '' && name !== open.name) {
    throw new Refusal(`Unmatched end tag ${place}, expected "</${open.name}>", found "</${name}>"`);
  }
  return open;
}

/** The entity of a closed tag; undefined for a link that leads nowhere, which Telegram leaves out. */
function entityOf(tag: OpenTag, text: string): TelegramEntity | undefined {
  const range = { offset: tag.offset, length: text.length - tag.offset };
  const type = ENTITY_OF_TAG[tag.name] ?? '';
  switch (tag.name) {
    case 'a': {
      const url = tag.attributes.get('href') || text.slice(tag.offset);
      return isLink(url) ? { type, ...range, url } : undefined;
    }
    case 'tg-emoji': {
      const id = tag.attributes.get('emoji-id') ?? '';
      if (!/^[1-9]\d{0,18}$/.test(id))
        throw new Refusal('Invalid custom emoji identifier specified');
      return { type, ...range, custom_emoji_id: id };
    }
    case 'blockquote':
      return { type: tag.attributes.has('expandable') ? 'expandable_blockquote' : type, ...range };
    case 'code': {
      const language = /^language-(.+)$/.exec(tag.attributes.get('class') ?? '')?.[1];
      return { type, ...range, ...(language === undefined ? {} : { language }) };
    }
    default:
      return { type, ...range };
  }
}

/** A host with a dot in it, with or without a scheme, or one of Telegram's own links. */
const isLink = (url: string): boolean =>
  /^(tg:|(https?:\/\/)?[^\s/?#]+\.[^\s/?#.]+([/?#]\S*)?$)/i.test(url);

/** `<pre><code class="language-x">` over the same range is one `pre` with a language; a language elsewhere is lost. */
function joinCode(entities: readonly TelegramEntity[]): TelegramEntity[] {
  const isSame = (a: TelegramEntity, b: TelegramEntity): boolean =>
    a.offset === b.offset && a.length === b.length;
  const joined: TelegramEntity[] = [];
  for (const entity of entities) {
    const { language, ...plain } = entity;
    if (entity.type === 'pre') {
      const code = entities.find(
        (other) => other.type === 'code' && other.language && isSame(other, entity),
      );
      joined.push(code?.language ? { ...plain, language: code.language } : plain);
      continue;
    }
    const isJoined =
      language !== undefined &&
      entities.some((other) => other.type === 'pre' && isSame(other, entity));
    if (!isJoined) joined.push(plain);
  }
  return joined.sort((a, b) => a.offset - b.offset || b.length - a.length);
}

/** What was read so far. */
interface Reading {
  readonly open: OpenTag[];
  readonly entities: TelegramEntity[];
  text: string;
}

/** Reads a start or an end tag; the cursor stands on the `<`. */
function readTag(cursor: Cursor, reading: Reading): void {
  const begin = cursor.at;
  cursor.at += 1;
  if (current(cursor) !== '/') {
    reading.open.push(readStartTag(cursor, begin, reading.text.length));
    return;
  }
  const tag = readEndTag(cursor, begin, reading.open.at(-1));
  reading.open.pop();
  const entity = reading.text.length > tag.offset ? entityOf(tag, reading.text) : undefined;
  if (entity) reading.entities.push(entity);
}

function readUnit(cursor: Cursor, reading: Reading): void {
  const decoded = current(cursor) === '&' ? readReference(cursor) : undefined;
  reading.text += decoded ?? current(cursor);
  if (decoded === undefined) cursor.at += 1;
}

function parse(source: string): ParsedHtml {
  const cursor: Cursor = { source, at: 0 };
  const reading: Reading = { open: [], entities: [], text: '' };
  while (cursor.at < source.length) {
    if (current(cursor) === '<') readTag(cursor, reading);
    else readUnit(cursor, reading);
  }
  const unclosed = reading.open.at(-1);
  if (unclosed) {
    throw new Refusal(`Can't find end tag corresponding to start tag "${unclosed.name}"`);
  }
  if (!reading.text.isWellFormed()) {
    throw new Refusal(
      'Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units',
    );
  }
  return { outcome: 'done', text: reading.text, entities: joinCode(reading.entities) };
}

/** Parses one message text or caption. The reason of a refusal is what follows `can't parse entities: `. */
export function parseTelegramHtml(source: string): ParsedHtml {
  try {
    return parse(source);
  } catch (error) {
    if (error instanceof Refusal) return { outcome: 'refused', reason: error.message };
    throw error;
  }
}
