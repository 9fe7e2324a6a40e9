/**
 * Takes the `http:` config of a running agent, gives its statistics.
 */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { type HttpConfig, listenPlace } from './http-config.ts';

const TIMEOUT_MS = 5000;

/** What of `/stats` a person is shown. */
const statsSchema = z.looseObject({
  beat: z.looseObject({
    info: z.looseObject({ uptime: z.looseObject({ ms: z.number() }), version: z.string() }),
    memstats: z.looseObject({ rss: z.number() }),
  }),
  libbeat: z.looseObject({
    output: z.looseObject({
      events: z.looseObject({ acked: z.number(), dropped: z.number() }),
      write: z.looseObject({ errors: z.number() }),
    }),
    pipeline: z.looseObject({
      events: z.looseObject({ total: z.number(), filtered: z.number(), failed: z.number() }),
    }),
  }),
  launchbeat: z.looseObject({
    last_answer: z.looseObject({ status: z.number().optional(), detail: z.string() }).optional(),
  }),
});

export type AskedStats = z.infer<typeof statsSchema>;

/** Asks `/stats`. Rejects with the reason where nobody, or somebody else, answers. */
export async function askStats(config: HttpConfig): Promise<AskedStats> {
  const place = listenPlace(config);
  const target = 'path' in place ? { socketPath: place.path } : place;
  const body = await new Promise<string>((resolve, reject) => {
    const asked = request(
      { ...target, path: '/stats', timeout: TIMEOUT_MS, agent: false },
      (given) => {
        text(given).then(resolve, reject);
      },
    );
    asked.on('timeout', () => asked.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)));
    asked.on('error', reject);
    asked.end();
  });
  const parsed = statsSchema.safeParse(json(body));
  if (!parsed.success) throw new Error('what answers there is no launchbeat');
  return parsed.data;
}

function json(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
