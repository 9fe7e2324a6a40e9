/**
 * Goal: an operator changes the key of an agent that runs, and no event waits for it. Method: both real programs over HTTPS, real
 * PostgreSQL; events come while the key changes, and the old key is ended before the last of them.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openKeystore } from '@launchbeat/ecs-schemas/beat';
import { parse, stringify } from 'yaml';
import { openDatabase } from '../../collector/src/commit/database.ts';
import { eventually } from '../support/eventually.ts';
import { installLaunchbeat } from '../support/launchbeat.ts';
import { testDatabase } from '../support/postgres.ts';
import { startProgram } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const AGENT = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const BRIDGE = fileURLToPath(new URL('../support/play-bridge.ts', import.meta.url));
const OFFICE = fileURLToPath(
  new URL('../../ecs-schemas/fixtures/demo-office.xml.ndlines', import.meta.url),
);
const NAME = 'LAUNCHBEAT_API_KEY';
const WAIT = { timeoutMs: 60_000, intervalMs: 100 };

test('agents rotate changes the key of a running agent; what comes afterwards goes under the new one', async (t) => {
  const { url } = await testDatabase(t);
  const installation = await installLaunchbeat({
    ...{ folder: temporaryFolder(t), postgresUrl: url, namespace: 'default' },
    agent: {
      select: 'all',
      check_in: { interval: '1s' },
      capture: {
        source: 'security-log',
        command: [process.execPath, BRIDGE, '--file', OFFICE, '--retime', '--seconds', '15'],
        poll_interval: '100ms',
      },
    },
  });
  const { folder, apiKey } = installation;
  const file = join(folder, 'launchbeat.yml');
  const config = parse(readFileSync(file, 'utf8'));
  config.output.collector.api_key = `\${${NAME}}`;
  writeFileSync(file, stringify(config));
  const keystore = openKeystore(config.path.data, 'launchbeat');
  keystore.write(new Map([[NAME, apiKey]]));
  const sql = openDatabase({ url });
  t.after(() => sql.end({ timeout: 1 }));
  const collector = await installation.startCollector();
  t.after(() => collector.stop());
  const flags = ['-c', file, '--path.config', folder];
  const agent = startProgram(process.execPath, [AGENT, 'run', '-e', ...flags], {});
  t.after(() => agent.stop());
  const events = async (): Promise<number> => (await sql`select from events`).length;
  await eventually(async () => assert.ok((await events()) > 0), WAIT);

  const nobody = await installation.collector('agents', 'rotate');
  assert.match(nobody.stderr, /Name one agent, or give --all/);
  const asked = await installation.collector('agents', 'rotate', '--all');
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(asked.stdout, /^1 agent takes a new key/);
  await agent.waitForLine(/Key was rotated/);
  await sql`update agent_keys set ends_at = now() - interval '1 minute' where ends_at is not null`;
  const before = await events();
  await eventually(async () => assert.ok((await events()) > before), WAIT);

  const [fresh = ''] = [...keystore.read().values()];
  assert.deepEqual([...keystore.read().keys()], [NAME]);
  assert.notEqual(fresh, apiKey);
  const [agentId = ''] = (await sql`select id from agents`).map((row) => String(row['id']));
  const shown = await installation.collector('agents', 'show', agentId);
  assert.match(shown.stdout, new RegExp(`^${fresh.split(':')[0]}\\tvalid\\t`, 'm'));
  assert.match(shown.stdout, new RegExp(`^${apiKey.split(':')[0]}\\trevoked\\t`, 'm'));
  assert.doesNotMatch(shown.stdout, /^new key/m);
  const audit = await installation.collector('audit', agentId);
  assert.match(audit.stdout, /key\.supersede[\s\S]*key\.rotate[\s\S]*agent\.rotate/);
  const secret = fresh.split(':')[1] ?? '';
  assert.ok(!(agent.stderr() + collector.stderr() + audit.stdout).includes(secret));
});
