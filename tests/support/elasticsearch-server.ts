/**
 * What every way of starting an Elasticsearch takes and gives, and how to tell that it is up.
 */

export interface ElasticsearchOptions {
  /** Says that the caller may stop it and change its settings; every server that is started here is private. */
  readonly private?: boolean;
  /** Where config, data and logs are kept between starts; default: a temporary folder that goes with this process. */
  readonly dataFolder?: string;
  /** Further lines of elasticsearch.yml. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly heapMb?: number;
  /** For measuring: lets Java compile as well as it can. Else it compiles quickly, and the node starts a quarter sooner. */
  readonly fullSpeed?: boolean;
  /** Hears a line before each step that takes long. */
  readonly onProgress?: (line: string) => void;
}

export interface ElasticsearchServer {
  readonly url: string;
  readonly version: string;
  /** Ends it: politely, or as a crash does with 'SIGKILL'. Its data stay. */
  stop(signal?: 'SIGKILL'): Promise<void>;
  /** Starts it again on the same data and the same port. */
  start(): Promise<void>;
}

const ASK_TIMEOUT_MS = 5_000;

async function ask(url: string): Promise<Record<string, unknown>> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return (await answer.json()) as Record<string, unknown>;
}

/**
 * Whether the node takes requests, has every primary shard back and knows its licence, which it makes a moment after its first start. Elastic's test distribution
 * has no `GET /`, so these two are asked. Throws while nothing answers.
 */
export async function isUp(url: string): Promise<boolean> {
  await ask(`${url}/_cluster/health?wait_for_status=yellow&timeout=1s`);
  return 'license' in (await ask(`${url}/_license`));
}
