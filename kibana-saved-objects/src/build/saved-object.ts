/**
 * Takes names and attributes, gives saved objects as one line of an export holds them.
 * Keeps: the versions are the highest of the old scheme, so that every Kibana from 8.11 to 9.x accepts them and only runs
 * forward migrations; a missing version would run all of them, a newer one is refused (Kibana: DocumentUpgradePipeline).
 */
import { createHash } from 'node:crypto';

/** One entry of `references`: how Kibana knows what an object needs. */
export interface Reference {
  readonly type: string;
  readonly id: string;
  readonly name: string;
}

/** The types that we write. */
export type SavedObjectType = 'index-pattern' | 'tag' | 'search' | 'dashboard';

/** A saved object without what an export adds about its time and its place. */
export interface SavedObject {
  readonly id: string;
  readonly type: SavedObjectType;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly references: readonly Reference[];
  readonly coreMigrationVersion: string;
  readonly typeMigrationVersion: string;
  readonly managed: boolean;
}

/** `coreMigrationVersion` of every export since 8.8. */
export const CORE_VERSION = '8.8.0';

/** `typeMigrationVersion` by type. Exports of 8.8 to 8.12 state these; all later ones only add to them. */
export const TYPE_VERSIONS: Readonly<Record<SavedObjectType, string>> = {
  'index-pattern': '8.0.0',
  tag: '8.0.0',
  search: '8.0.0',
  dashboard: '8.9.0',
};

/** What a saved object is made of; the versions follow from the type. */
export interface SavedObjectParts {
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly references?: readonly Reference[];
  /** True: Kibana shows it read-only with a badge, and who wants to change it makes a copy that an update leaves alone. */
  readonly managed: boolean;
}

export function savedObject(type: SavedObjectType, parts: SavedObjectParts): SavedObject {
  return {
    id: parts.id,
    type,
    attributes: parts.attributes,
    references: parts.references ?? [],
    coreMigrationVersion: CORE_VERSION,
    typeMigrationVersion: TYPE_VERSIONS[type],
    managed: parts.managed,
  };
}

/** A UUID that follows from names (SHA-1, set out like version 5): the same source gives the same file, byte by byte. */
export function stableId(...names: readonly string[]): string {
  const hex = createHash('sha1').update(names.join('\0')).digest('hex');
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) % 4];
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** A query in Kibana's own language, as every place of a saved object holds it. */
export interface KqlQuery {
  readonly query: string;
  readonly language: 'kuery';
}

export const kql = (query: string): KqlQuery => ({ query, language: 'kuery' });

/** The reference by which an object carries a tag. */
export const tagReference = (id: string): Reference => ({ type: 'tag', id, name: `tag-ref-${id}` });
