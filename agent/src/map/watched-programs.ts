/**
 * Takes the config's programs, gives a function that tells for one start which program it is and whether a helper process.
 * Keeps: works without command lines too (policy off), by the parent's path and the integrity level.
 */
import { matchesPattern } from '@launchbeat/ecs-schemas/beat';
import { commandLineArgs, unquoted } from './command-line-args.ts';
import type { Program } from './map-config.ts';
import type { ProgramPath } from './program-path.ts';
import { fold } from './windows-names.ts';

/** What the decision needs of a start; '' = not known. */
export interface StartedImage {
  readonly executable: ProgramPath;
  readonly parentExecutable: ProgramPath;
  readonly commandLine: string;
  /** SID of the integrity level, `S-1-16-8192`. */
  readonly mandatoryLabel: string;
}

export interface Recognised {
  /** Label of the watched program, undefined for any other. */
  readonly program: string | undefined;
  readonly helper: boolean;
}

/** Untrusted and low: the sandboxes of browsers. Nobody starts a program there by hand. */
const SANDBOX_LABELS = new Set(['S-1-16-0', 'S-1-16-4096']);
/** Helper processes of every Chromium and Electron program, watched or not. */
const CHROMIUM_HELPER_ARG = '--type=';

interface Watched {
  readonly label: string;
  readonly paths: readonly string[];
  readonly helperArgs: readonly string[];
  readonly helperIfSelfStarted: boolean;
}

function hasHelperArg(args: readonly string[], wanted: readonly string[]): boolean {
  return args.some((argument) =>
    wanted.some((one) => (one.endsWith('=') ? argument.startsWith(one) : argument === one)),
  );
}

function isHelper(start: StartedImage, watched: Watched | undefined): boolean {
  const { executable, parentExecutable: parent } = start;
  const selfStarted = parent.path !== '' && parent.folded === executable.folded;
  if (watched === undefined && !selfStarted) return false;
  if (watched?.helperIfSelfStarted === true && selfStarted) return true;
  if (watched !== undefined && SANDBOX_LABELS.has(start.mandatoryLabel)) return true;
  if (!start.commandLine.includes('-') && !start.commandLine.includes('/')) return false;
  const args = commandLineArgs(start.commandLine).map((argument) =>
    unquoted(argument).toLowerCase(),
  );
  return hasHelperArg(args.slice(1), watched?.helperArgs ?? [CHROMIUM_HELPER_ARG]);
}

/** Makes the recogniser. The first program of the list that fits wins. */
export function createRecogniser(
  programs: readonly Program[],
): (start: StartedImage) => Recognised {
  const byName = new Map<string, Watched[]>();
  for (const program of programs) {
    const watched: Watched = {
      label: program.label,
      paths: program.paths.map(fold),
      helperArgs: program.helper_args.map((argument) => argument.toLowerCase()),
      helperIfSelfStarted: program.helper_if_self_started,
    };
    for (const name of program.names) {
      const key = fold(name);
      byName.set(key, [...(byName.get(key) ?? []), watched]);
    }
  }
  return (start) => {
    const { folded, foldedName } = start.executable;
    const watched = byName
      .get(foldedName)
      ?.find(
        (one) =>
          one.paths.length === 0 || one.paths.some((pattern) => matchesPattern(pattern, folded)),
      );
    return { program: watched?.label, helper: isHelper(start, watched) };
  };
}
