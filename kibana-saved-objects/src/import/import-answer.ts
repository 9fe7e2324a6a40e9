/**
 * Takes Kibana's answer to an import, gives in plain words what became of the objects.
 * Keeps: 200 alone proves nothing; only `success` without errors, for every object that was sent, counts.
 */

/** What became of one object. */
export interface ObjectFault {
  readonly type: string;
  readonly id: string;
  readonly title: string;
  readonly reason: string;
}

export type AnswerOutcome =
  | { readonly outcome: 'done'; readonly imported: number; readonly renamed: number }
  | {
      readonly outcome: 'refused';
      readonly reason: string;
      readonly faults: readonly ObjectFault[];
    };

type Json = Readonly<Record<string, unknown>>;

const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function reasonOf(error: Json): string {
  switch (error['type']) {
    case 'conflict':
      return 'is there already; import with overwrite to replace it';
    case 'ambiguous_conflict':
      return 'is there more than once; delete all but one';
    case 'missing_references': {
      const missing = listOf(error['references']).map((one) => {
        const { type, id } = objectOf(one);
        return `${textOf(type)} ${textOf(id)}`;
      });
      return `needs ${missing.join(', ')}, which is not there`;
    }
    case 'unsupported_type':
      return 'is of a type that this Kibana does not know';
    default:
      return textOf(error['message']) || `failed: ${textOf(error['type']) || 'no reason given'}`;
  }
}

/** `sent`: how many objects the file held. */
export function readImportAnswer(json: unknown, sent: number): AnswerOutcome {
  const answer = objectOf(json);
  const faults = listOf(answer['errors']).map((one): ObjectFault => {
    const fault = objectOf(one);
    return {
      type: textOf(fault['type']),
      id: textOf(fault['id']),
      title: textOf(objectOf(fault['meta'])['title']) || textOf(fault['title']),
      reason: reasonOf(objectOf(fault['error'])),
    };
  });
  const imported = typeof answer['successCount'] === 'number' ? answer['successCount'] : 0;
  if (answer['success'] === true && faults.length === 0 && imported === sent) {
    const renamed = listOf(answer['successResults']).filter((one) => {
      const { id, destinationId } = objectOf(one);
      return typeof destinationId === 'string' && destinationId !== id;
    });
    return { outcome: 'done', imported, renamed: renamed.length };
  }
  return {
    outcome: 'refused',
    reason: `Kibana took ${imported} of ${sent} objects`,
    faults,
  };
}

/** What Kibana says about a request that it refused as a whole. */
export const messageOf = (json: unknown): string => textOf(objectOf(json)['message']);
