/**
 * Takes what is known of a start, gives `launchbeat.flags`: traits that an analyst searches for, one keyword each.
 * Keeps: a flag says what was seen, not that it is bad; each rule looks at one event alone and takes bounded time.
 */
import { commandLineArgs, unquoted } from './command-line-args.ts';
import type { ProgramPath } from './program-path.ts';

/** What the flags are made of; '' = not known. */
export interface FlagInput {
  readonly executable: ProgramPath;
  readonly parentExecutable: ProgramPath;
  readonly commandLine: string;
  readonly tokenElevationType: string;
  /** Characters that XML forbids were removed from the event. */
  readonly cleaned: boolean;
  /** The command line was cut to fit a line of the wire. */
  readonly truncated: boolean;
  /** process-poll found it: it was not logged, and others were missed. */
  readonly polled?: boolean;
}

const LONG_COMMAND_LINE_UNITS = 1000;

const names = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Programs of Windows that are known to run other people's code for them. */
const LOLBINS = names(
  'bitsadmin.exe certutil.exe cmstp.exe forfiles.exe installutil.exe msbuild.exe mshta.exe msiexec.exe odbcconf.exe ' +
    'regasm.exe regsvcs.exe regsvr32.exe rundll32.exe wmic.exe',
);
const SCRIPT_HOSTS = names(
  'cmd.exe cscript.exe mshta.exe powershell.exe powershell_ise.exe pwsh.exe wscript.exe',
);
const OFFICE = names(
  'eqnedt32.exe excel.exe msaccess.exe mspub.exe onenote.exe outlook.exe powerpnt.exe visio.exe winword.exe',
);
const REMOTE_TOOLS = names(
  'aa_v3.exe ammyy_admin.exe anydesk.exe assistant.exe atera_agent.exe mstsc.exe psexec.exe psexec64.exe radmin.exe ' +
    'rustdesk.exe rutserv.exe screenconnect.clientservice.exe supremo.exe teamviewer.exe tvnserver.exe winvnc.exe',
);
/** Folders that every user may write to without being an administrator. */
const USER_WRITABLE =
  /\\(?:temp|tmp)\\|^[a-z]:\\users\\|^[a-z]:\\programdata\\|^[a-z]:\\windows\\(?:tasks|tracing)\\|\\\$recycle\.bin\\/i;
const DOUBLE_EXTENSION =
  /\.(?:docx?|gif|jpe?g|pdf|png|pptx?|rtf|txt|xlsx?|zip)\s*\.(?:bat|cmd|com|exe|js|lnk|pif|scr|vbs)$/i;
/** PowerShell takes every beginning of -EncodedCommand from -e on, and its alias -ec. */
const ENCODED_OPTION = /^[-/\u2013\u2014\u2015](?:e|ec|en[a-z]*)$/i;

function hasEncodedCommand(image: string, commandLine: string): boolean {
  if (image !== 'powershell.exe' && image !== 'pwsh.exe') return false;
  return commandLineArgs(commandLine).some((argument) => {
    const option = unquoted(argument);
    return (
      ENCODED_OPTION.test(option) &&
      (option.length <= 3 || 'encodedcommand'.startsWith(option.slice(1).toLowerCase()))
    );
  });
}

/** %%1937 is how Windows logs it; newer readers print the text. */
const isElevated = (type: string): boolean =>
  type === '%%1937' || /^TokenElevationTypeFull\b/.test(type);

interface Rule {
  readonly flag: string;
  /** `image` and `parent` are file names, folded. */
  holds(input: FlagInput, image: string, parent: string): boolean;
}

const RULES: readonly Rule[] = [
  { flag: 'elevated', holds: (input) => isElevated(input.tokenElevationType) },
  { flag: 'no_command_line', holds: (input) => input.commandLine === '' },
  {
    flag: 'encoded_powershell',
    holds: (input, image) => hasEncodedCommand(image, input.commandLine),
  },
  { flag: 'script_host', holds: (_, image) => SCRIPT_HOSTS.has(image) },
  { flag: 'lolbin', holds: (_, image) => LOLBINS.has(image) },
  { flag: 'office_child', holds: (_, image, parent) => OFFICE.has(parent) && !OFFICE.has(image) },
  { flag: 'remote_tool', holds: (_, image) => REMOTE_TOOLS.has(image) },
  { flag: 'user_writable_path', holds: (input) => USER_WRITABLE.test(input.executable.path) },
  { flag: 'double_extension', holds: (_, image) => DOUBLE_EXTENSION.test(image) },
  { flag: 'long_cmdline', holds: (input) => input.commandLine.length > LONG_COMMAND_LINE_UNITS },
  { flag: 'truncated', holds: (input) => input.truncated },
  { flag: 'control_characters', holds: (input) => input.cleaned },
  { flag: 'degraded', holds: (input) => input.polled === true },
];

/** The flags that hold, in a fixed order. */
export function flagsOf(input: FlagInput): string[] {
  const image = input.executable.foldedName;
  const parent = input.parentExecutable.foldedName;
  const flags: string[] = [];
  for (const rule of RULES) if (rule.holds(input, image, parent)) flags.push(rule.flag);
  return flags;
}
