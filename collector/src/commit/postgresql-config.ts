/**
 * `postgresql:` and `archive:` of collector.yml: where the store is, how many connections, how long things stay.
 */
import { byteSize, duration } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

const DEFAULT_URL = 'postgres://launchbeat@localhost:5432/launchbeat';

const url = z.url({
  protocol: /^postgres(ql)?$/,
  hostname: /.*/,
  error: 'Expected a URL such as postgres://user:password@host:5432/database',
});

export const postgresqlConfigSchema = z
  .strictObject({
    /** Where PostgreSQL is, with user, password and database. */
    url: url.default(DEFAULT_URL),
    /** The same database by a role that may make tables (and, for `setup --roles`, roles); only `setup` uses it. Absent: `url`. */
    setup_url: url.optional(),
    /** Connections that this collector opens at most. */
    connections_max: z.int().min(2).max(500).default(10),
    /** A commit that takes longer is answered with 503; the agent sends the chunk again. */
    commit_timeout: duration('30s'),
    /**
     * Events older than this are dropped, by whole UTC days; 0 keeps them for ever. The default deletes nothing: an import of an old
     * log would vanish at the next sweep.
     */
    retention: duration('0'),
    /** The queue to Elasticsearch: above either bound the agents are told to keep their files. */
    queue: z
      .strictObject({
        /** Compressed bytes of chunks that Elasticsearch does not have yet. */
        max_bytes: byteSize('10GiB'),
        /** Lines of them. */
        max_lines: z.int().positive().default(100_000_000),
      })
      .prefault({}),
    archive: z
      .strictObject({
        /** How long the bytes of a chunk stay after Elasticsearch has it, for re-indexing; 0 = until it has it. */
        retention: duration('7d'),
      })
      .prefault({}),
  })
  .prefault({});

export type PostgresqlConfig = z.infer<typeof postgresqlConfigSchema>;
