/**
 * The KQL that several panels and searches share, each under the name of what it finds.
 * Keeps: traits are asked by the agent's flags, which compare as Windows does; KQL itself minds case on keyword fields. Words of a
 * command line are asked in its `.text` field, which does not.
 */

/** `field : ("a" or "b")`. Values are quoted, so that a space or a colon in them does no harm. */
export function anyOf(field: string, values: readonly string[]): string {
  const quoted = values.map(
    (value) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return `${field} : (${quoted.join(' or ')})`;
}

/** The flags of the agent that we ask for (its `map` stage sets them). */
export const FLAGS = [
  'encoded_powershell',
  'office_child',
  'double_extension',
  'lolbin',
  'script_host',
  'remote_tool',
  'user_writable_path',
  'long_cmdline',
  'elevated',
  'no_command_line',
  'truncated',
  'control_characters',
  'degraded',
] as const;

export type Flag = (typeof FLAGS)[number];

/** Starts with a flag. */
export const flagged = (flag: Flag): string => `launchbeat.flags : "${flag}"`;

/** A start by a person, not by a helper process or the system. */
export const BY_PEOPLE = 'launchbeat.launch : true';

export const NOT_BY_PEOPLE = 'launchbeat.launch : false';

/** A start of a program of the agent's `programs` list. */
export const WATCHED = 'launchbeat.program : *';

/** A person's start of a watched program. */
export const WATCHED_LAUNCH = `${BY_PEOPLE} and ${WATCHED}`;

/**
 * The words of a command line are cut at blanks, slashes and quotes, but not at a dot between letters: `powershell.exe` is one word.
 * PowerShell that hides its window, ignores the execution policy, runs encoded text or text from the network.
 */
export const SUSPICIOUS_POWERSHELL = `${flagged('encoded_powershell')} or ${flagged('script_host')} and process.command_line.text : (powershell or "powershell.exe" or pwsh or "pwsh.exe") and process.command_line.text : (hidden or bypass or unrestricted or iex or "invoke expression" or downloadstring or downloadfile or webclient or "net.webclient" or frombase64string or "invoke webrequest" or iwr)`;

/** What a browser, a messenger's own browser or a shell starts that is not a part of itself: a download, a link, a script's work. */
export const FROM_BROWSER_OR_SHELL = `${BY_PEOPLE} and process.parent.name : ("chrome.exe" or "msedge.exe" or "firefox.exe" or "browser.exe" or "opera.exe" or "iexplore.exe" or "cmd.exe" or "powershell.exe" or "pwsh.exe" or "wscript.exe" or "cscript.exe" or "mshta.exe")`;

/** SYSTEM, LOCAL SERVICE, NETWORK SERVICE and the PC's own account. */
export const SYSTEM_ACCOUNT =
  'launchbeat.actor.id : ("S-1-5-18" or "S-1-5-19" or "S-1-5-20") or launchbeat.actor.name : *$';

/** A secret stood on the command line: whoever could list processes saw it. */
export const REDACTED = 'launchbeat.redacted > 0';

/** Integrity level High, System or above (MandatoryLabel of the new process). */
export const HIGH_INTEGRITY = anyOf('winlog.event_data.MandatoryLabel', [
  'S-1-16-12288',
  'S-1-16-16384',
  'S-1-16-20480',
]);

/** A trait and the starts with it that deserve a look. */
export interface Lead {
  readonly flag: Flag;
  readonly query: string;
}

/** Browsers that mail programs open, and programs that install themselves into a profile, are everyday where they are watched. */
const UNLESS_WATCHED = `${BY_PEOPLE} and not ${WATCHED}`;

/** What deserves a look, in the order in which an analyst would look. */
export const LEADS: readonly Lead[] = [
  { flag: 'encoded_powershell', query: flagged('encoded_powershell') },
  { flag: 'office_child', query: `${flagged('office_child')} and ${UNLESS_WATCHED}` },
  { flag: 'double_extension', query: flagged('double_extension') },
  { flag: 'remote_tool', query: flagged('remote_tool') },
  { flag: 'lolbin', query: `${flagged('lolbin')} and ${BY_PEOPLE}` },
  { flag: 'user_writable_path', query: `${flagged('user_writable_path')} and ${UNLESS_WATCHED}` },
  { flag: 'long_cmdline', query: flagged('long_cmdline') },
];
