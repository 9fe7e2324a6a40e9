/**
 * Takes the path of a program as Windows logs it, gives what the rules and the document need of it, each made once.
 */
import { fileName, fold, folderOf } from './windows-names.ts';

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
