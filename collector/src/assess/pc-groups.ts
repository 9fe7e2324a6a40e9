/**
 * Groups of PCs: takes their definitions in alerts.yml and what the fleet knows of agents, says in which groups a PC is.
 * Keeps: pure. Names and tags are compared without case.
 */
import { z } from 'zod';
import { compileGlobs, type Glob } from './glob.ts';

const list = z.array(z.string().min(1)).min(1).optional();

/** One group: a PC is in it by its name or by a tag of its agent. */
export const pcGroup = z
  .strictObject({
    /** Names of PCs, whole or up to the first dot. */
    hosts: list,
    /** Tags of agents. */
    tags: list,
  })
  .refine((group) => group.hosts !== undefined || group.tags !== undefined, {
    message: 'Expected hosts or tags; a group of nothing has no PC',
  });

type PcGroup = z.infer<typeof pcGroup>;
export type PcGroups = Readonly<Record<string, PcGroup>>;

/** A PC, in lower case. */
export interface Place {
  /** Its name, whole and up to the first dot. */
  readonly hosts: readonly string[];
  readonly tags: readonly string[];
}

/** The tags of an agent (its id in lower case) as the fleet knows them. */
export type TagsOf = (agentId: string) => readonly string[];

/** What is known of PCs beside their events. */
export interface Fleet {
  readonly tagsOf: TagsOf;
  readonly groupsOf: (place: Place) => readonly string[];
}

export const NO_TAGS: TagsOf = () => [];

/** The names that a PC answers to. */
export const hostNames = (name: string): readonly string[] => {
  const [short = name] = name.split('.');
  return short === name ? [name] : [name, short];
};

/** Compiles the groups. */
export function createFleetView(groups: PcGroups, tagsOf: TagsOf): Fleet {
  const tests = Object.entries(groups).map(
    ([name, { hosts, tags }]) => [name, globOf(hosts), globOf(tags)] as const,
  );
  return {
    tagsOf,
    groupsOf: (place) =>
      tests
        .filter(([, isHost, isTag]) => place.hosts.some(isHost) || place.tags.some(isTag))
        .map(([name]) => name),
  };
}

const globOf = (patterns: readonly string[] | undefined): Glob =>
  patterns === undefined ? () => false : compileGlobs(patterns);
