/**
 * What one of our detection rules is made of, before it is written as Elastic Security keeps it.
 */
import type { Technique } from './attack.ts';

/** Elastic's own score for each severity. */
export const RISK_SCORES = { low: 21, medium: 47, high: 73 } as const;

/** An alert for each value, or combination of values, of which enough was seen within the time that a run looks back over. */
export interface Threshold {
  readonly fields: readonly string[];
  /** Starts, at least. */
  readonly starts: number;
  /** Different values of a further field, at least. */
  readonly different: { readonly field: string; readonly values: number };
}

/** An alert for each value, or combination of values, that was not there between `since` and the time that a run looks back over. */
export interface NewTerms {
  readonly fields: readonly string[];
  /** Date math, e.g. `now-14d`. */
  readonly since: string;
}

export interface RuleParts {
  /** The rule's id follows from it. Never changed once shipped, since an import with "overwrite" finds its rule by the id. */
  readonly key: string;
  readonly name: string;
  readonly description: string;
  /** KQL. */
  readonly query: string;
  readonly severity: keyof typeof RISK_SCORES;
  readonly techniques: readonly Technique[];
  /** What finds it without being an attack. */
  readonly everyday: string;
  /** What to look at when it fires, in this order. */
  readonly investigate: readonly string[];
  /** The rule of alerts.yml, shipped or shown as an example, that finds the same; a few find it in another way. */
  readonly mirrors?: string;
  /** Neither of the two: an alert for each document. */
  readonly threshold?: Threshold;
  readonly newTerms?: NewTerms;
}
