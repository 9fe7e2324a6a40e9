/**
 * Takes the text of a mustache template, gives what is wrong with it.
 * Keeps: nothing of an event reaches a chat unescaped, so `{{{x}}}` and `{{&x}}` are refused, and whatever could bring
 * them back (partials, other delimiters); only fields that alerts have.
 * Source: mustache(5).
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
  return problems;
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
