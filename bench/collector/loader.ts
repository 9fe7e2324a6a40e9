/**
 * The loader that the collector is held against, as a program: reads lines, parses them, sends the objects to Elasticsearch by
 * `helpers.bulk` of its own JS client, `create` with the event's id, 5 MB a request, two lanes.
 * Arguments: URL, data stream, file, events that only warm it up. Prints the rest's `{"seconds":…,"events":…,"cpuMicrosPerEvent":…}`.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Client } from '@elastic/elasticsearch';

const [url = '', stream = '', file = '', warmUp = '0'] = process.argv.slice(2);
const client = new Client({ node: url });

interface Document {
  readonly event: { readonly id: string };
}

async function* documents(): AsyncGenerator<Document> {
  for await (const line of createInterface({ input: createReadStream(file) })) {
    yield JSON.parse(line) as Document;
  }
}

let [startMs, uncounted, done, cpuBefore] = [performance.now(), 0, 0, process.cpuUsage()];
const result = await client.helpers.bulk<Document>({
  datasource: documents(),
  flushBytes: 5_000_000,
  concurrency: 2,
  onDocument: (document) => ({ create: { _index: stream, _id: document.event.id } }),
  onSuccess: () => {
    done += 1;
    if (uncounted > 0 || done < Number(warmUp)) return;
    [startMs, uncounted, cpuBefore] = [performance.now(), done, process.cpuUsage()];
  },
  onDrop: (dropped) => {
    throw new Error(`Elasticsearch refused a document: ${JSON.stringify(dropped.error)}`);
  },
});
const seconds = (performance.now() - startMs) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
const events = result.successful - uncounted;
const cpuMicrosPerEvent = (user + system) / events;
process.stdout.write(`${JSON.stringify({ seconds, events, cpuMicrosPerEvent })}\n`);
await client.close();
