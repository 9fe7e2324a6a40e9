/**
 * Takes the arguments of a command whose program tells its secret by position or by a word, gives the arguments that hold one:
 * `net user NAME SECRET`, `reg add … /v Password /d SECRET`, `curl -su NAME:SECRET`, `sqlplus NAME/SECRET@db`.
 * Keeps: looks a bounded number of arguments ahead.
 * Source: each program's own help.
 */
import { type Argument, endsCommand } from './argument.ts';
import { looksLikeOption } from './secret-value.ts';

/** No command that is told apart here has more arguments that matter. */
const AHEAD_MAX = 24;

/** An argument that holds a secret: from `from` (UTF-16 units of its text) up to `to`, or to its end. */
export interface Found {
  readonly argument: Argument | undefined;
  readonly from?: number;
  readonly to?: number;
}

type Grammar = (command: readonly Argument[]) => Found[];

/** The arguments of the command that begins at `at`: up to `&`, `|`, `;` and no further than needed. */
function commandFrom(list: readonly Argument[], at: number): Argument[] {
  const command: Argument[] = [];
  for (const argument of list.slice(at, at + AHEAD_MAX)) {
    command.push(argument);
    if (!argument.quoted && endsCommand(argument.text)) break;
  }
  return command;
}

/** Whether an argument is an option and no value. */
export const isSwitch = (argument: Argument): boolean =>
  !argument.quoted && looksLikeOption(argument.text);

/** Windows' own network commands know options by their slash alone: `-x` may be a secret. */
const isSlashOption = (argument: Argument): boolean =>
  isSwitch(argument) && argument.text.startsWith('/');

const operandsOf = (command: readonly Argument[]): Argument[] =>
  command.slice(1).filter((one) => !isSwitch(one));

/** The secret behind `user:`, `user%` or `user,`. */
export function loginSecret(argument: Argument | undefined, from: number): Found[] {
  const separator = argument?.text.slice(from).search(/[:%,]/) ?? -1;
  return separator === -1 ? [] : [{ argument, from: from + separator + 1 }];
}

/** `net use [X:] \\host\share [SECRET] [options]`, `net user NAME [SECRET] [options]`, `net user /add NAME SECRET`. */
function netSecrets(command: readonly Argument[]): Found[] {
  const verb = command[1]?.text.toLowerCase();
  const operands = command
    .slice(2)
    .filter((one) => !isSlashOption(one) && !/^[&|;]+$/.test(one.text));
  if (verb === 'use') {
    // WebDAV takes a URL.
    const share = operands.findIndex((one) => /^(?:\\\\|https?:)/i.test(one.text));
    return share === -1 ? [] : operands.slice(share + 1).map((argument) => ({ argument }));
  }
  return verb === 'user' || verb === 'users' ? [{ argument: operands[1] }] : [];
}

const SECRET_NAME = /pass(?:word|wd|phrase)?\d?$|pwd\d?$|secret$|token$|api_?key$|access_?key$/i;

/** `reg add KEY /v NAME /d SECRET` where the name says that it is one. */
function regSecrets(command: readonly Argument[]): Found[] {
  const after = (option: string): Argument | undefined =>
    command[command.findIndex((one) => one.text.toLowerCase() === option) + 1];
  if (command[1]?.text.toLowerCase() !== 'add') return [];
  const named = command.some((one) => one.text.toLowerCase() === '/v') ? after('/v') : undefined;
  return SECRET_NAME.test(named?.text ?? '') &&
    command.some((one) => one.text.toLowerCase() === '/d')
    ? [{ argument: after('/d') }]
    : [];
}

/** What follows the first argument that a pattern fits. */
const afterFirst =
  (pattern: RegExp): Grammar =>
  (command) => {
    const at = command.findIndex((one, index) => index > 0 && pattern.test(one.text));
    return at === -1 ? [] : [{ argument: command[at + 1] }];
  };

/** Short options of curl that take no value: others may stand before `u` in one word. */
const CURL_FLAGS_AND_USER = /^-[#0-9afgijklnpqsvGIJLNORS]{1,12}[uU]$/;
const CERTIFICATE = /^(?:[A-Za-z]:[\\/][^:]{1,260}|[^:]{2,260}):/;

/** The secret of the argument behind an option of curl. */
function afterCurlOption(option: string, next: Argument): Found[] {
  switch (option) {
    case '-b':
    case '--cookie':
      return next.text.includes('=') ? [{ argument: next }] : [];
    case '-E':
    case '--cert':
    case '--proxy-cert': {
      const file = CERTIFICATE.exec(next.text);
      return file === null ? [] : [{ argument: next, from: file[0].length }];
    }
    default:
      return CURL_FLAGS_AND_USER.test(option) && !next.text.includes('://')
        ? loginSecret(next, 0)
        : [];
  }
}

/** What its rows cannot say: `-su NAME:SECRET`, `-E FILE:SECRET`, `-b NAME=SECRET` (without `=` it is a file). */
function curlSecrets(command: readonly Argument[]): Found[] {
  return command.flatMap((argument, at) => {
    const { text } = argument;
    if (/^--(?:proxy-)?user=/.test(text)) return loginSecret(argument, text.indexOf('=') + 1);
    const next = command[at + 1];
    return next === undefined ? [] : afterCurlOption(text, next);
  });
}

/** `DOMAIN/NAME:SECRET@HOST`. */
const LOGIN_AT_HOST = /^(?:[^\s/:@\\]{1,64}\/)?[^\s/:@\\]{1,64}:/;

function impacketSecrets(command: readonly Argument[]): Found[] {
  return command.slice(1).flatMap((argument) => {
    const login = LOGIN_AT_HOST.exec(argument.text);
    const to = argument.text.lastIndexOf('@');
    return login === null || to <= login[0].length ? [] : [{ argument, from: login[0].length, to }];
  });
}

const ORACLE_LOGIN = /^(?:userid=)?["']?[A-Za-z][\w$#]{0,60}\/(?=[^/\\\s@]+(?:@|$))/i;

/** `user/SECRET@database` of Oracle's programs. */
function oracleSecrets(command: readonly Argument[]): Found[] {
  return command.slice(1).flatMap((argument) => {
    const login = ORACLE_LOGIN.exec(argument.text);
    if (login === null) return [];
    const [from, to] = [login[0].length, argument.text.lastIndexOf('@')];
    return [to < from ? { argument, from } : { argument, from, to }];
  });
}

const same = (names: string, grammar: Grammar): (readonly [string, Grammar])[] =>
  names.split(' ').map((name) => [name, grammar] as const);

const GRAMMARS: ReadonlyMap<string, Grammar> = new Map([
  ...same('net net1', netSecrets),
  ...same('reg', regSecrets),
  ...same('curl', curlSecrets),
  ...same('setx', (command) => {
    const [name, value] = operandsOf(command);
    return SECRET_NAME.test(name?.text ?? '') ? [{ argument: value }] : [];
  }),
  ...same('rasdial', (command) => [
    { argument: command.slice(1).filter((one) => !isSlashOption(one))[2] },
  ]),
  ...same('bitsadmin', (command) =>
    command[1]?.text.toLowerCase() === '/setcredentials' ? [{ argument: command[6] }] : [],
  ),
  ...same('aws', afterFirst(SECRET_NAME)),
  ...same(
    'rclone',
    afterFirst(/^(?:pass(?:word)?2?|token|bearer_token|client_secret|secret_access_key)$/),
  ),
  ...same('npm pnpm yarn', afterFirst(/_(?:authToken|auth|password)$/)),
  ...same('mysqladmin mariadb-admin', afterFirst(/^password$/)),
  ...same('vault', (command) =>
    command[1]?.text === 'login'
      ? [{ argument: operandsOf(command)[1] }].filter(
          (one) => one.argument?.text.includes('=') === false,
        )
      : [],
  ),
  // Installers, ours too, take a key as a property.
  ...same('msiexec', (command) =>
    command.flatMap((argument) => (/^key=./i.test(argument.text) ? [{ argument, from: 4 }] : [])),
  ),
  ...same('sqlplus sqlldr exp imp expdp impdp rman', oracleSecrets),
  ...[
    'psexec',
    'smbexec',
    'wmiexec',
    'atexec',
    'dcomexec',
    'secretsdump',
    'smbclient',
    'mssqlclient',
  ].flatMap((name) => same(`${name} impacket-${name}`, impacketSecrets)),
]);

/** Programs that have a grammar here. */
export const GRAMMAR_NAMES: readonly string[] = [...GRAMMARS.keys()];

/** The secrets of the command that begins at `at` with the program `name`. */
export function grammarSecrets(list: readonly Argument[], at: number, name: string): Found[] {
  return GRAMMARS.get(name)?.(commandFrom(list, at)) ?? [];
}
