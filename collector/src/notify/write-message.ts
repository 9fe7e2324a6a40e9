/**
 * Takes an alert's fields and its template, gives the message in Telegram's HTML and as plain text.
 * Keeps: no field's text is markup; no tag of the template is cut; a message is never longer than Telegram takes.
 * Source: https://core.telegram.org/bots/api#html-style and #sendmessage (4096 characters after entities parsing).
 */

import mustache from 'mustache';
import type { AlertsConfig } from '../assess/alerts-config.ts';
import { cutMiddle, visibleText } from './visible-text.ts';
import { wordsOf } from './words.ts';

export interface Message {
  /** For parse_mode HTML. */
  readonly html: string;
  /** The same without markup, for where Telegram does not take the markup. */
  readonly plain: string;
}

/** Writes a message of at most `unitsMax` UTF-16 units; so many as Telegram takes unless told otherwise. */
export type WriteMessage = (
  alert: { readonly ruleId: string; readonly fields: Readonly<Record<string, string>> },
  unitsMax?: number,
) => Message;

/** UTF-16 units of the text that the chat shows. */
export const MESSAGE_UNITS_MAX = 4096;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};
const TEXT_OF: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(ESCAPES).map(([text, escaped]) => [escaped, text]),
);

/** The text as HTML that shows it. */
export const escapeHtml = (value: unknown): string =>
  String(value).replace(/[&<>"]/g, (character) => ESCAPES[character] ?? '');

/** What Telegram shows of its HTML. Fields are escaped, so every `<` left is the template's own. */
const shown = (html: string): string =>
  html
    .replace(/<\/?[a-z][^<>]*>/gi, '')
    .replace(/&(?:amp|lt|gt|quot);/g, (entity) => TEXT_OF[entity] ?? '');

/** Makes the writer; an alert of a rule that is no longer in the file gets the file's template. */
export function createWriteMessage(
  config: AlertsConfig,
  linkOf: (fields: Fields) => string = () => '',
): WriteMessage {
  const { ofKind } = wordsOf(config.language);
  const ofRule = new Map(
    (config.rules ?? []).flatMap(({ id, kind, template = ofKind[kind] }) =>
      template === undefined ? [] : [[id, template] as const],
    ),
  );
  return ({ ruleId, fields }, unitsMax = MESSAGE_UNITS_MAX) => {
    const template = ofRule.get(ruleId) ?? config.template;
    return write(withLink(template), { ...fields, link: linkOf(fields) }, unitsMax);
  };
}

/** A template that does not say where the link stands has it at the end. */
const withLink = (template: string): string =>
  /\{\{#?\s*link\s*\}\}/.test(template) ? template : `${template}${LINK}`;

const LINK = '{{#link}} <a href="{{link}}">Kibana</a>{{/link}}';

type Fields = Readonly<Record<string, string>>;

function write(
  template: string,
  fields: Readonly<Record<string, string>>,
  messageUnitsMax: number,
): Message {
  const whole = Object.entries(fields).map(
    ([name, value]) => [name, visibleText(String(value))] as const,
  );
  // Half an address leads nowhere, and the chat does not show it.
  const cut = (name: string, value: string, unitsMax: number): string =>
    name === 'link' ? value : cutMiddle(value, unitsMax);
  const withFieldsOf = (unitsMax: number): string =>
    mustache.render(
      template,
      Object.fromEntries(whole.map(([name, value]) => [name, cut(name, value, unitsMax)])),
      undefined,
      { escape: escapeHtml },
    );
  const fits = (html: string): boolean => shown(html).length <= messageUnitsMax;

  let html = withFieldsOf(Number.POSITIVE_INFINITY);
  if (!fits(html)) {
    // The longest fields give way first: the most units a field that still let the message fit.
    let [low, high] = [0, messageUnitsMax];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (fits(withFieldsOf(middle))) low = middle;
      else high = middle;
    }
    html = withFieldsOf(low);
  }
  const plain = cutMiddle(shown(html), messageUnitsMax);
  // Only a template that is too long by itself comes here; its markup cannot be kept.
  return { html: fits(html) ? html : escapeHtml(plain), plain };
}
