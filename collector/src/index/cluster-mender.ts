/**
 * Tells documents that are wrong from a cluster that is: a template that is gone, changed or overruled makes Elasticsearch refuse
 * documents that are right. Where it may, it sets the template up again and gives the stream a new backing index.
 * Keeps: a look at most each LOOK_MS and namespace, an attempt to mend at most each MEND_MS; never throws for a cluster that is down.
 */
import type { Client } from '@elastic/elasticsearch';
import { type StreamKey, streamName } from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { ElasticsearchConfig } from './elasticsearch-config.ts';
import { findWrongField } from './read-template.ts';
import { explainFailure, type Failure } from './request-outcome.ts';
import { checkTemplate, setUpTemplate } from './set-up-template.ts';

export interface ClusterMender {
  /** Why documents of this namespace are refused though they may be right; undefined: the documents are to blame. */
  whyRefused(namespace: string): Promise<Failure | undefined>;
  /** Sets up what is missing or wrong; true: something was made, it is worth to try again. */
  mend(namespace: string): Promise<boolean>;
}

export interface ClusterMenderOptions {
  readonly client: Client;
  readonly config: ElasticsearchConfig;
  readonly log: Log;
  /** Whether it may change the cluster. */
  readonly maySetUp: boolean;
  /** The data stream that it looks after; default: the process starts. */
  readonly stream?: StreamKey;
}

const LOOK_MS = 5_000;
const MEND_MS = 5_000;

/** Makes the mender. With a template of the operator's own it judges and mends nothing. */
export function createClusterMender(options: ClusterMenderOptions): ClusterMender {
  const { client, config, log, stream: key = 'starts' } = options;
  const wellSinceMs = new Map<string, number>();
  let mending: Promise<boolean> | undefined;
  let mendedAtMs = Number.NEGATIVE_INFINITY;

  async function look(namespace: string): Promise<Failure | undefined> {
    const template = await checkTemplate(client, [namespace], key);
    if (template.outcome === 'retry') return template.failure;
    if (template.outcome === 'refused') return person(template.reason);
    const wrong = await findWrongField(client, streamName(key, namespace), key, template.build);
    return wrong === undefined
      ? undefined
      : person(
          `${wrong} has another type than the template gives it; roll ${streamName(key, namespace)} over`,
        );
  }

  async function setUp(namespace: string): Promise<boolean> {
    const state = await setUpTemplate(client, config, log, key);
    if (state.outcome !== 'done') return false;
    const isMade = state.action !== 'kept';
    if (isMade) log.warn({}, `The cluster refused what is right: ${state.detail}`);
    const wrong = await findWrongField(client, streamName(key, namespace), key, state.build);
    if (wrong === undefined) return isMade;
    const stream = streamName(key, namespace);
    await client.transport.request({ method: 'POST', path: `/${stream}/_rollover` });
    log.warn({}, `${wrong} had another type than the template gives it; ${stream} is rolled over.`);
    return true;
  }

  return {
    async whyRefused(namespace) {
      if (!config.template.enabled) return undefined;
      const nowMs = performance.now();
      if (nowMs - (wellSinceMs.get(namespace) ?? Number.NEGATIVE_INFINITY) < LOOK_MS) {
        return undefined;
      }
      try {
        const failure = await look(namespace);
        if (failure === undefined) wellSinceMs.set(namespace, nowMs);
        return failure;
      } catch (error) {
        return explainFailure(error);
      }
    },
    async mend(namespace) {
      if (!options.maySetUp || !config.template.enabled) return false;
      if (mending === undefined) {
        if (performance.now() - mendedAtMs < MEND_MS) return false;
        mendedAtMs = performance.now();
        mending = setUp(namespace)
          .catch((error: unknown) => {
            // What is wrong is said by the request that failed; here only a bug goes on.
            explainFailure(error);
            return false;
          })
          .finally(() => {
            mending = undefined;
          });
      }
      return await mending;
    },
  };
}

const person = (reason: string): Failure => ({ kind: 'needs_person', status: 0, reason });
