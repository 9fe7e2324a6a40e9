/**
 * Takes the path of a program as Windows logs it, gives what the rules and the document need of it, each made once.
 */
import { copied, createTextMemory } from './text-memory.ts';
import { fileName, fold, folderOf } from './windows-names.ts';

const PATHS_MAX = 512;
const PATH_UNITS_MAX = 512;

/** A program's path; '' = not known. */
export interface ProgramPath {
  /** As logged. */
  readonly path: string;
  /** The file's name as logged. */
  readonly name: string;
  /** Without the last backslash; undefined where there is none. */
  readonly folder: string | undefined;
  /** For comparison: Windows compares without case. */
  readonly folded: string;
  readonly foldedName: string;
}

/** Takes it apart. */
export function programPath(path: string): ProgramPath {
  const folded = fold(path);
  return {
    path,
    name: fileName(path),
    folder: folderOf(path),
    folded,
    foldedName: fileName(folded),
  };
}

/** Makes the same with a memory: each path is taken apart once. */
export function rememberPaths(): (path: string) => ProgramPath {
  const paths = createTextMemory<ProgramPath>(PATHS_MAX, PATH_UNITS_MAX);
  return (path) => {
    const known = paths.get(path);
    if (known !== undefined) return known;
    const made = programPath(copied(path));
    paths.set(made.path, made);
    return made;
  };
}
