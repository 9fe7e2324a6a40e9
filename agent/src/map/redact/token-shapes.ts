/**
 * Secrets that are known by their look alone: keys and tokens of well-known services, private keys, JSON web tokens.
 * Keeps: each pattern reads every character a bounded number of times; it begins at the border of a word, so that no run of its
 * own characters is tried at each of its places.
 * Source: the services' own pages on the form of their tokens, and the rules that secret scanners share.
 */
import type { SecretSpan } from './secret-span.ts';

interface Shape {
  readonly kind: string;
  /** One of these must be in the text, else the pattern is not tried. */
  readonly needs: readonly string[];
  /** The whole match is the secret. */
  readonly pattern: RegExp;
}

/** Not inside of a word; behind an escape of a URL (`%3D`) it begins anew. */
const EDGE = '(?:(?<![A-Za-z0-9_-])|(?<=%[0-9A-Fa-f]{2}))';
const shape = (kind: string, needs: string, pattern: string): Shape => ({
  kind,
  needs: needs.split(' '),
  pattern: new RegExp(EDGE + pattern, 'g'),
});

const SHAPES: readonly Shape[] = [
  shape('aws', 'AKIA ASIA ABIA ACCA', '(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])'),
  shape('github', 'ghp_ gho_ ghu_ ghs_ ghr_', 'gh[pousr]_[A-Za-z0-9]{30,}'),
  shape('github', 'github_pat_', 'github_pat_[A-Za-z0-9_]{22,}'),
  shape(
    'gitlab',
    'glpat- gldt- glrt- glsoat- glcbt- glptt- glft- glimt- glagent- gloas- glffct-',
    'gl(?:pat|dt|rt|soat|cbt|ptt|ft|imt|agent|oas|ffct)-[A-Za-z0-9_.-]{20,}',
  ),
  shape(
    'slack',
    'xoxa- xoxb- xoxc- xoxe- xoxo- xoxp- xoxr- xoxs-',
    'xox[abceoprs]-[A-Za-z0-9-]{10,}',
  ),
  shape('slack', 'xapp-', 'xapp-[A-Za-z0-9-]{10,}'),
  shape(
    'slack',
    'hooks.slack.com',
    'hooks\\.slack\\.com/(?:services|workflows|triggers)/[\\w/-]{20,}',
  ),
  shape('discord', 'discord', 'discord(?:app)?\\.com/api/webhooks/\\d{10,}/[\\w-]{30,}'),
  shape('jwt', 'eyJ', 'eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*){0,3}'),
  shape('google', 'AIza', 'AIza[A-Za-z0-9_-]{35}'),
  shape('google', 'ya29.', 'ya29\\.[A-Za-z0-9_-]{20,}'),
  shape('google', 'GOCSPX-', 'GOCSPX-[A-Za-z0-9_-]{20,}'),
  shape('openai', 'sk-', 'sk-[A-Za-z0-9_-]{20,}'),
  shape('stripe', 'k_live_ k_test_', '[rs]k_(?:live|test)_[A-Za-z0-9]{16,}'),
  shape('npm', 'npm_', 'npm_[A-Za-z0-9]{36,}'),
  shape('pypi', 'pypi-', 'pypi-[A-Za-z0-9_-]{50,}'),
  shape('sendgrid', 'SG.', 'SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}'),
  shape('huggingface', 'hf_', 'hf_[A-Za-z0-9]{30,}'),
  shape('digitalocean', 'dop_v1_ doo_v1_ dor_v1_', 'do[opr]_v1_[a-f0-9]{64}'),
  shape('vault', 'hvs. hvb. hvr.', 'hv[sbr]\\.[A-Za-z0-9_-]{20,}'),
  shape('azure', 'Q~', '[A-Za-z0-9_~.]{3}\\dQ~[A-Za-z0-9_~.-]{31,40}'),
  shape('age', 'AGE-SECRET-KEY-', 'AGE-SECRET-KEY-1[0-9A-Z]{50,}'),
  {
    kind: 'private_key',
    needs: ['PRIVATE KEY'],
    // Without its end (a cut text) it reaches to the end.
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/gs,
  },
];

/** Shapes of digits have no letters that give them away: a short pattern says whether the long one is worth trying. */
const DIGIT_SHAPES: readonly (readonly [RegExp, Shape])[] = [
  [
    /\d:[A-Za-z0-9_-]{33}/,
    shape('telegram', '', '(?:bot)?\\d{6,12}:[A-Za-z0-9_-]{33,40}(?![A-Za-z0-9_-])'),
  ],
  [/\d-\d{6}-\d{6}-/, shape('bitlocker', '', '\\d{6}(?:-\\d{6}){7}(?![\\d-])')],
];
/** Literal part → the shapes that need it. */
const BY_PART = new Map<string, Shape[]>();
for (const one of SHAPES) {
  for (const part of one.needs) BY_PART.set(part, [...(BY_PART.get(part) ?? []), one]);
}
/** Any of the literal parts; most texts have none. */
const ANY_PART = new RegExp(
  [...BY_PART.keys()].map((part) => part.replace('.', '\\.')).join('|'),
  'g',
);

function find({ kind, pattern }: Shape, text: string, spans: SecretSpan[]): void {
  for (const match of text.matchAll(pattern)) {
    spans.push({ start: match.index, end: match.index + match[0].length, kind });
  }
}

/** Finds every secret that is known by its look. */
export function tokenShapes(text: string): SecretSpan[] {
  const spans: SecretSpan[] = [];
  const tried = new Set<Shape>();
  ANY_PART.lastIndex = 0;
  for (let part = ANY_PART.exec(text); part !== null; part = ANY_PART.exec(text)) {
    for (const one of BY_PART.get(part[0]) ?? []) {
      if (!tried.has(one)) find(one, text, spans);
      tried.add(one);
    }
  }
  for (const [hint, one] of DIGIT_SHAPES) if (hint.test(text)) find(one, text, spans);
  return spans;
}
