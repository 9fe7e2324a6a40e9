/**
 * Takes the text of a mustache template, gives what is wrong with it.
 * Keeps: nothing of an event reaches a chat unescaped, so `{{{x}}}` and `{{&x}}` are refused, and whatever could bring
 * them back (partials, other delimiters); only fields that alerts have, and markup that Telegram reads.
 * Source: mustache(5); https://core.telegram.org/bots/api#html-style
 */
import { ALERT_FIELDS } from './alert-fields.ts';

const TAG = /\{\{(\{?)\s*([#^/&>=!$<]?)\s*([^}]*?)\s*\}?\}\}/g;

/** Problems as sentences; none = it may be used. */
export function templateProblems(template: string): string[] {
  const open: string[] = [];
  const problems = [...template.matchAll(TAG)].flatMap(
    ([whole, triple, sign = '', name = '']) =>
      tagProblem({ whole, sign: triple === '' ? sign : '&', name }, open) ?? [],
  );
  problems.push(...open.map((name) => `{{#${name}}} is not closed. Write {{/${name}}} after it.`));
  if (template.replace(TAG, '').includes('{{')) {
    problems.push('A tag is not closed. Write }} after its name.');
  }
  return [...problems, ...markupProblems(template.replace(TAG, ''))];
}

/** Names of Telegram's tags; those of its own (tg-…) become more with time. */
const MARKUP = [
  ...['b', 'strong', 'i', 'em', 'u', 'ins', 's', 'strike', 'del', 'code', 'pre', 'a', 'blockquote'],
  ...['span', 'tg-spoiler'],
];
const MARKUP_TAG = /<(\/?)([a-z][a-z0-9-]*)?[^<>]*>?/gi;

/** What Telegram would refuse for each message: it would come as plain text. `html` is what is shown if every field says something. */
function markupProblems(html: string): string[] {
  const open: string[] = [];
  const problems = [...html.matchAll(MARKUP_TAG)].flatMap(([whole, slash, given = '']) => {
    const name = given.toLowerCase();
    const isKnown = MARKUP.includes(name) || name.startsWith('tg-');
    if (!isKnown || !whole.endsWith('>')) {
      return `${whole.trim()} is no tag that Telegram knows. Tags: ${MARKUP.join(', ')}; a lone < is written &lt;.`;
    }
    if (slash === '') open.push(name);
    else if (open.pop() !== name) return `${whole} closes what is not open. Delete it.`;
    return [];
  });
  return [
    ...problems,
    ...open.map((name) => `<${name}> is not closed. Write </${name}> after it.`),
  ];
}

interface Tag {
  readonly whole: string;
  /** `{{{x}}}` counts as `{{&x}}`. */
  readonly sign: string;
  readonly name: string;
}

/** What is wrong with one tag; `open` is the sections that it stands in. */
function tagProblem({ whole, sign, name }: Tag, open: string[]): string | undefined {
  switch (sign) {
    case '!':
      return undefined;
    case '&':
      return `${whole} would show text unescaped. Write {{${name}}}.`;
    case '/':
      return open.pop() === name ? undefined : `${whole} closes what is not open. Delete it.`;
    case '#':
    case '^':
      open.push(name);
      return unknownField(whole, name);
    case '':
      return unknownField(whole, name);
    default:
      return `${whole} is not taken: no partials and no other delimiters. Delete it.`;
  }
}

function unknownField(tag: string, name: string): string | undefined {
  if (Object.hasOwn(ALERT_FIELDS, name)) return undefined;
  return `${tag} is no field of an alert. Fields: ${Object.keys(ALERT_FIELDS).join(', ')}.`;
}
