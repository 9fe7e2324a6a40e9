/**
 * Takes texts that may hold secrets, gives them with each secret replaced by `‹redacted:kind:8 hex digits›`.
 * Keeps: the digits are a keyed HMAC of the secret, so that equal secrets stay joinable on one PC and tell nothing to who has no
 * key. Time is linear in the text. Text without a secret comes back as it is.
 */
import { createHmac } from 'node:crypto';
import { linearPattern } from '@launchbeat/ecs-schemas/conditions';
import { cutToJsonBytes } from '../json-bytes.ts';
import { copied, createTextMemory } from '../text-memory.ts';
import { fileName } from '../windows-names.ts';
import { splitArguments } from './argument.ts';
import { type EncodedCommand, encodedCommands } from './encoded-command.ts';
import { namedSecrets } from './named-secrets.ts';
import { mayHaveProgramSecrets, programSecrets } from './program-secrets.ts';
import type { RedactionConfig } from './redaction-config.ts';
import { mergeSpans, replaceSpans, type SecretSpan } from './secret-span.ts';
import { textSecrets } from './text-rules.ts';
import { placed, type TextView, textViews } from './text-views.ts';
import { tokenShapes } from './token-shapes.ts';

export interface Redacted {
  readonly text: string;
  /** How many secrets were replaced. */
  readonly count: number;
  /** Scripts of `-EncodedCommand`, decoded and redacted, at most 16 KiB; absent where there is none. */
  readonly decoded?: string;
}

export interface Redactor {
  /** `image` is the path of the program that was started; it tells what `-p` means. */
  redact(text: string, image?: string): Redacted;
}

export interface RedactorOptions {
  readonly config: RedactionConfig;
  /** Secret of this installation, at least 16 bytes. */
  readonly key: Uint8Array;
}

type Rule = (text: string) => SecretSpan[];

const DECODED_JSON_BYTES_MAX = 16 * 1024;
/** A script within a script within a script: deeper ones are not decoded, but replaced as a whole. */
const DEPTH_MAX = 3;
/** Quotes within quotes are followed so deep. */
const QUOTE_DEPTH_MAX = 3;
const HARMLESS_MAX = 1024;
const HARMLESS_UNITS_MAX = 1024;

function ownRules(config: RedactionConfig): Rule[] {
  return config.rules.map(({ kind, pattern }) => {
    const compiled = linearPattern(pattern);
    if (compiled.outcome === 'refused') throw new Error(compiled.reason);
    return (text) => compiled.pattern.ranges(text).map((range) => ({ ...range, kind }));
  });
}

/** A piece of a command line whose arguments are looked at. */
interface Piece {
  readonly text: string;
  /** Where it stands in the command line. */
  readonly offset: number;
  readonly image: string;
}

/** The secrets of a piece, and the pieces within it: quoted arguments, and the whole without quotes where they are in a muddle. */
function piecesWithin(piece: Piece): { spans: SecretSpan[]; within: Piece[] } {
  const { text, offset, image } = piece;
  const { list, isNested } = splitArguments(text, offset);
  const within = list
    .filter((one) => one.text.includes(' ') && one.text.length < text.length)
    .map((one) => ({ text: one.text, offset: one.start, image: '' }));
  // Blanks for quotes: every place stays.
  if (isNested) within.push({ text: text.replaceAll('"', ' '), offset, image });
  return { spans: programSecrets(list, image), within };
}

/** Secrets among the arguments, also among those within quoted arguments (`cmd /c "net use …"`). */
function argumentSecrets(text: string, image: string): SecretSpan[] {
  const found: SecretSpan[][] = [];
  let level: readonly Piece[] = [{ text, offset: 0, image }];
  for (let depth = 0; depth < QUOTE_DEPTH_MAX; depth += 1) {
    const results = level.map(piecesWithin);
    found.push(results.flatMap((one) => one.spans));
    level = results.flatMap((one) => one.within);
  }
  return found.flat();
}

/** The scripts of all views of a text, each once. */
function scriptsOf(views: readonly TextView[]): EncodedCommand[] {
  const byStart = new Map<number, EncodedCommand>();
  for (const view of views)
    for (const one of encodedCommands(view.text)) {
      const script = placed(view, one);
      const before = byStart.get(script.start);
      // Carets within the base64 cut it short where they were not taken out.
      if (before === undefined || before.end < script.end) byStart.set(script.start, script);
    }
  return [...byStart.values()];
}

/** What scripts say, those within them behind them. */
function decodedOf(scripts: readonly Redacted[]): { readonly decoded?: string } {
  if (scripts.length === 0) return {};
  const texts = scripts.flatMap(({ text, decoded }) =>
    decoded === undefined ? [text] : [text, decoded],
  );
  return { decoded: cutToJsonBytes(texts.join('\n'), DECODED_JSON_BYTES_MAX) };
}

/** A PC starts the same programs with the same words all day: texts without a secret are remembered, those with one never. */
function rememberHarmless() {
  const images = createTextMemory<string>(HARMLESS_MAX, HARMLESS_UNITS_MAX);
  return {
    has: (text: string, image: string): boolean => images.get(text) === image,
    add(text: string, image: string): void {
      if (image.length <= HARMLESS_UNITS_MAX) images.set(copied(text), copied(image));
    },
  };
}

/** Makes a redactor. Throws on a pattern that the config's schema would have refused. */
export function createRedactor(options: RedactorOptions): Redactor {
  const { config, key } = options;
  const own = ownRules(config);
  const mark = (kind: string, secret: string): string =>
    `‹redacted:${kind}:${createHmac('sha256', key).update(secret).digest('hex').slice(0, 8)}›`;

  function secretsOf(text: string, image: string, isScript: boolean): SecretSpan[] {
    const lowerCase = text.toLowerCase();
    const inPowerShell =
      isScript ||
      lowerCase.includes('powershell') ||
      lowerCase.includes('pwsh') ||
      /pwsh|powershell/i.test(image);
    return [
      tokenShapes(text),
      namedSecrets(text, { inPowerShell }),
      textSecrets(text, lowerCase),
      mayHaveProgramSecrets(lowerCase) || mayHaveProgramSecrets(fileName(image).toLowerCase())
        ? argumentSecrets(text, image)
        : [],
    ].flat();
  }

  function redactAt(text: string, image: string, depth: number): Redacted {
    if (text === '') return { text, count: 0 };
    const views = textViews(text);
    const scripts = scriptsOf(views).map((one) => ({
      ...one,
      redacted: depth < DEPTH_MAX ? redactAt(one.script, '', depth + 1) : undefined,
    }));
    const withDecoded = decodedOf(scripts.flatMap(({ redacted }) => redacted ?? []));
    if (!config.enabled) return { text, count: 0, ...withDecoded };
    const spans = [
      ...own.flatMap((rule) => rule(text)),
      ...views.flatMap((view) =>
        secretsOf(view.text, image, depth > 0).map((span) => placed(view, span)),
      ),
    ];
    let inner = 0;
    for (const { start, end, redacted } of scripts) {
      if (redacted?.count === 0) continue;
      spans.push({ start, end, kind: 'encoded_command' });
      // The script as a whole is replaced for the secrets within: those count.
      inner += (redacted?.count ?? 1) - 1;
    }
    if (spans.length === 0) return { text, count: 0, ...withDecoded };
    const merged = mergeSpans(spans, text);
    return { text: replaceSpans(text, merged, mark), count: merged.length + inner, ...withDecoded };
  }

  const harmless = rememberHarmless();
  return {
    redact(text, image = '') {
      if (harmless.has(text, image)) return { text, count: 0 };
      const redacted = redactAt(text, image, 0);
      if (redacted.count === 0 && redacted.decoded === undefined) harmless.add(text, image);
      return redacted;
    },
  };
}
