/**
 * Takes a command line, gives the scripts that stand in it as `-EncodedCommand` (base64 of UTF-16LE), decoded.
 * Keeps: any program's name will do, since powershell.exe is easily renamed; what does not decode to text is left alone.
 */

export interface EncodedCommand {
  /** Place of the base64 text, `end` exclusive. */
  readonly start: number;
  readonly end: number;
  readonly script: string;
}

/** PowerShell takes every beginning of -EncodedCommand from -e on, its alias -ec, and other dashes than the ASCII one. */
const OPTION =
  /((?:^|[\s"'&|(,])[-/\u2013\u2014\u2015](e|ec|en[a-z]{0,12})(?:\s+|[:=]\s*)["']?)([A-Za-z0-9+/]{8,}={0,2})/gi;
const TEXT_SHARE_MIN = 0.9;
const SAMPLE_UNITS = 4096;

const isOption = (name: string): boolean =>
  name.toLowerCase() === 'ec' || 'encodedcommand'.startsWith(name.toLowerCase());

/** White space, ASCII, and letters of Latin, Greek and Cyrillic: what scripts are written in. */
const SCRIPT_CHARACTERS = /[\t\n\r\x20-\x7e\u00a0-\u052f\u2000-\u206f\ufeff]/g;

function looksLikeText(script: string): boolean {
  const sample = script.slice(0, SAMPLE_UNITS);
  const known = sample.match(SCRIPT_CHARACTERS)?.length ?? 0;
  return sample.length > 0 && known / sample.length >= TEXT_SHARE_MIN;
}

/** Cheaper than the pattern, and rarely there. */
const HINT = /[-/\u2013\u2014\u2015]e(?:c|n?c?[a-z]{0,12})["':=\s]/i;

/** Finds and decodes them, in order. */
export function encodedCommands(commandLine: string): EncodedCommand[] {
  const found: EncodedCommand[] = [];
  if (!HINT.test(commandLine)) return found;
  for (const match of commandLine.matchAll(OPTION)) {
    const [, before = '', name = '', encoded = ''] = match;
    if (!isOption(name)) continue;
    const script = Buffer.from(encoded, 'base64').toString('utf16le').replaceAll('\0', '');
    if (!looksLikeText(script)) continue;
    const start = match.index + before.length;
    found.push({ start, end: start + encoded.length, script: script.toWellFormed() });
  }
  return found;
}
