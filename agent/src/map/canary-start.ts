/**
 * Takes a start, tells whether it is an agent's canary: the tiny process by which agents see whether auditing is on. It is no start
 * that anybody made. An agent knows its own by its mark and its process id (capture/canary.ts); this is for those of before a restart,
 * of another agent, and of events that were forwarded or saved.
 * Keeps: exact to the last character, so that nothing can be hidden behind the mark: what fits does nothing but a remark.
 */
import type { StartedImage } from './watched-programs.ts';

const SHELL = /^[a-z]:\\windows\\system32\\cmd\.exe$/i;
const REMARK =
  /^"?[a-z]:\\windows\\system32\\cmd\.exe"? \/d \/c rem launchbeat-canary-[0-9a-f]{32}\s*$/i;
/** Where command lines are not logged: the installed agent's own Node.js, in a folder that only administrators may write to. */
const AGENT = /^[a-z]:\\program files\\launchbeat\\node\.exe$/i;

/** Whether this start is a canary. */
export function isCanaryStart({
  executable,
  parentExecutable,
  commandLine,
}: StartedImage): boolean {
  if (!SHELL.test(executable.path)) return false;
  return commandLine === '' ? AGENT.test(parentExecutable.path) : REMARK.test(commandLine);
}
