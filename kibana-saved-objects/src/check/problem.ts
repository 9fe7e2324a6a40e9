/** What a check found, and how it tells. */
export interface Problem {
  /** File, object and place within it. */
  readonly where: string;
  readonly what: string;
}

/** Tells of one problem. */
export type Report = (where: string, what: string) => void;
