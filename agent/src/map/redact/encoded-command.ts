/**
 * Takes a command line, gives the scripts that stand in it as `-EncodedCommand` (base64 of UTF-16LE), or for
 * a script to decode (`FromBase64String('…')`), decoded.
 * Keeps: any program's name will do, since powershell.exe is easily renamed; what does not decode to text is left alone.
 */

export interface EncodedCommand {
  /** Place of the base64 text, `end` exclusive. */
  readonly start: number;
  readonly end: number;
  readonly script: string;
}

/**
 * PowerShell takes every beginning of -EncodedCommand from -e on, its alias -ec, and other dashes than the ASCII one; and
 * -EncodedArguments, -ea.
 */
const OPTION =
  /((?:^|[\s"'&|(,])[-/\u2013\u2014\u2015](e[ac]?|en[a-z]{0,14})["']?(?:\s+|[:=]\s*)["']?)([A-Za-z0-9+/]{8,}={0,2})/gi;
/** What a script decodes by itself. */
const DECODED_BY_SCRIPT = /(frombase64string\(\s{0,16}\\?["']{1,2})([A-Za-z0-9+/]{8,}={0,2})/gi;
const TEXT_SHARE_MIN = 0.9;
const SAMPLE_UNITS = 4096;

function isOption(name: string): boolean {
  const lowerCase = name.toLowerCase();
  return (
    ['ec', 'ea'].includes(lowerCase) ||
    'encodedcommand'.startsWith(lowerCase) ||
    'encodedarguments'.startsWith(lowerCase)
  );
}

/** White space, ASCII, and letters of Latin, Greek and Cyrillic: what scripts are written in. */
const SCRIPT_CHARACTERS = /[\t\n\r\x20-\x7e\u00a0-\u052f\u2000-\u206f\ufeff]/g;

function looksLikeText(script: string): boolean {
  const sample = script.slice(0, SAMPLE_UNITS);
  const known = sample.match(SCRIPT_CHARACTERS)?.length ?? 0;
  return sample.length > 0 && known / sample.length >= TEXT_SHARE_MIN;
}

/** Text of a base64 string, UTF-16LE as PowerShell has it; undefined where it is none. */
function utf16Text(encoded: string): string | undefined {
  const script = Buffer.from(encoded, 'base64').toString('utf16le').replaceAll('\0', '');
  return looksLikeText(script) ? script.toWellFormed() : undefined;
}

function utf8Text(encoded: string): string | undefined {
  const script = Buffer.from(encoded, 'base64').toString('utf8').replaceAll('\0', '');
  return looksLikeText(script) ? script : undefined;
}

/** Cheaper than the pattern, and rarely there. */
const HINT = /[-/\u2013\u2014\u2015]e(?:c|n?c?[a-z]{0,14})["':=\s]/i;
const DECODES = /frombase64string/i;

function found(match: RegExpExecArray, encoded: string, script: string | undefined) {
  const start = match.index + match[0].length - encoded.length;
  return script === undefined ? [] : [{ start, end: start + encoded.length, script }];
}

/** Finds and decodes them, in order of their kind. */
export function encodedCommands(commandLine: string): EncodedCommand[] {
  const commands: EncodedCommand[] = [];
  if (HINT.test(commandLine)) {
    for (const match of commandLine.matchAll(OPTION)) {
      const [, , name = '', encoded = ''] = match;
      if (isOption(name)) commands.push(...found(match, encoded, utf16Text(encoded)));
    }
  }
  if (commandLine.includes('(') && DECODES.test(commandLine)) {
    for (const match of commandLine.matchAll(DECODED_BY_SCRIPT)) {
      const [, , encoded = ''] = match;
      commands.push(...found(match, encoded, utf16Text(encoded) ?? utf8Text(encoded)));
    }
  }
  return commands;
}
