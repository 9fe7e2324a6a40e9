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
  const problems: string[] = [];
  const open: string[] = [];
  for (const [whole, triple, sign = '', name = ''] of template.matchAll(TAG)) {
    if (triple !== '' || sign === '&') {
      problems.push(`${whole} would show text unescaped. Write {{${name}}}.`);
    } else if (sign === '/') {
      if (open.pop() !== name) problems.push(`${whole} closes what is not open. Delete it.`);
    } else if (sign === '' || sign === '#' || sign === '^') {
      if (!Object.hasOwn(ALERT_FIELDS, name)) problems.push(unknownField(whole));
      if (sign !== '') open.push(name);
    } else if (sign !== '!') {
      problems.push(`${whole} is not taken: no partials and no other delimiters. Delete it.`);
    }
  }
  for (const name of open) problems.push(`{{#${name}}} is not closed. Write {{/${name}}} after it.`);
  const rest = template.replace(TAG, '');
  if (rest.includes('{{')) problems.push('A tag is not closed. Write }} after its name.');
  return problems;
}

function unknownField(tag: string): string {
  return `${tag} is no field of an alert. Fields: ${Object.keys(ALERT_FIELDS).join(', ')}.`;
}
