/**
 * Takes what is about to be logged, gives it without secrets: by the name of the field, and by the look of the text.
 * Keeps: no key, token or password reaches a log, also inside an error's message or its stack.
 */

const NAMES = [
  'api_key',
  'apiKey',
  'token',
  'password',
  'passphrase',
  'secret',
  'authorization',
  'Authorization',
];
const REDACTED = '[redacted]';
const DEPTH_MAX = 4;

/** pino redaction paths for the names of secrets, down to four levels (`a.b.c.token`). */
export const SECRET_PATHS: readonly string[] = NAMES.flatMap((name) =>
  Array.from({ length: DEPTH_MAX }, (_, depth) => `${'*.'.repeat(depth)}${name}`),
);

/** A field whose dotted name ends with the name of a secret, e.g. `http.request.headers.authorization`. */
const SECRET_FIELD = new RegExp(`(^|[._-])(${NAMES.join('|')})$`, 'i');

/** What secrets look like in a text: credentials of a header, of a URL, a Telegram bot's token. */
const LOOKS: readonly (readonly [RegExp, string])[] = [
  [/\b(ApiKey|Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}/g, `$1 ${REDACTED}`],
  [/(\/\/[^/:@\s]*:)[^/@\s]+@/g, `$1${REDACTED}@`],
  [/(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}/g, REDACTED],
];

/** A text without what looks like a secret. */
export function withoutSecrets(text: string): string {
  return LOOKS.reduce((clean, [look, instead]) => clean.replace(look, instead), text);
}

/** Fields of a log line without secrets. Names inside objects are left to SECRET_PATHS, but for the texts of an error. */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (SECRET_FIELD.test(name)) clean[name] = REDACTED;
    else if (typeof value === 'string') clean[name] = withoutSecrets(value);
    else if (name === 'error' && typeof value === 'object' && value !== null)
      clean[name] = redactFields({ ...value });
    else clean[name] = value;
  }
  return clean;
}
