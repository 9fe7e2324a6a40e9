/**
 * `elasticsearch:` of collector.yml: where the cluster is, how to sign in, how much is sent at once.
 * Keys and defaults follow output.elasticsearch of Beats where it has them.
 */
import { namespaceSchema } from '@launchbeat/ecs-schemas';
import {
  byteSize,
  duration,
  httpUrl,
  optionalText,
  stringList,
} from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

const urls = stringList(['http://localhost:9200']).pipe(z.array(httpUrl).min(1));

export const elasticsearchConfigSchema = z
  .strictObject({
    /** Off: chunks count as indexed as soon as PostgreSQL has them. */
    enabled: z.boolean().default(true),
    /** URLs of nodes of one cluster. */
    hosts: urls,
    /** API key, `id:api_key` as in Beats or the encoded form. */
    api_key: optionalText,
    /** Basic authentication, instead of an API key. */
    username: optionalText,
    password: optionalText,
    ssl: z
      .strictObject({
        /** PEM files of the CAs to trust instead of Node's own list. */
        certificate_authorities: stringList(),
        /** none = take any certificate. */
        verification_mode: z.enum(['full', 'none']).default('full'),
      })
      .prefault({}),
    /** Namespaces of the data stream that agents may write to. */
    namespaces: stringList(['default']).pipe(z.array(namespaceSchema).min(1)),
    /** How long the data stream keeps a document (data stream lifecycle), e.g. 90d; absent = for ever. */
    retention: z
      .string()
      .regex(/^[1-9]\d*(d|h|m|s)$/, 'Expected a time with a unit, such as 90d or 12h')
      .optional(),
    template: z
      .strictObject({
        /** Off: somebody else puts the template, and nobody here looks for it. */
        enabled: z.boolean().default(true),
        /** Field types: ecs = ECS's own, core = keyword and text only, auto = ecs where the cluster knows them. */
        build: z.enum(['auto', 'ecs', 'core']).default('auto'),
      })
      .prefault({}),
    bulk: z
      .strictObject({
        /** Size of one _bulk request, uncompressed. */
        max_bytes: byteSize('5MiB').pipe(z.number().min(64 * 1024)),
        /** Requests in flight at once. */
        workers: z.int().min(1).max(32).default(2),
        /** How long a request waits to be filled by more chunks. */
        linger: duration('100ms'),
      })
      .prefault({}),
    queue: z
      .strictObject({
        /** Compressed bytes of fresh chunks kept in memory; what is over waits in PostgreSQL. */
        max_bytes: byteSize('64MiB'),
        /** How often PostgreSQL is asked for chunks that another collector, or this one, left behind. */
        sweep_interval: duration('5s'),
      })
      .prefault({}),
    reports: z
      .strictObject({
        /** How often the state of each agent is written down. */
        interval: duration('5m').refine(
          (ms) => ms >= 1000 && ms <= 86_400_000,
          'Expected 1s to 24h',
        ),
      })
      .prefault({}),
    /** A request that has no answer after this time has an unknown outcome and is looked up. */
    timeout: duration('90s'),
    backoff: z
      .strictObject({
        /** Delay before the first repetition; doubles each time, with jitter. */
        init: duration('1s'),
        /** Longest delay. Also the delay after answers that a person must mend. */
        max: duration('60s'),
      })
      .prefault({}),
  })
  .prefault({})
  .refine((config) => config.api_key === undefined || config.username === undefined, {
    path: ['api_key'],
    message: 'Give api_key or username and password, not both',
  })
  .refine((config) => config.username !== undefined || config.password === undefined, {
    path: ['username'],
    message: 'Give the username that the password belongs to',
  });

export type ElasticsearchConfig = z.infer<typeof elasticsearchConfigSchema>;
