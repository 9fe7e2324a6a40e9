/**
 * `launchbeat-collector certs init`: a private CA and a server certificate, for who has none of their own.
 */
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { globalFlags, settlePaths, stringList } from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import { initCertificates } from '../certificates/init-certificates.ts';
import { COLLECTOR_HOME } from '../config.ts';

interface InitOptions {
  readonly host: readonly string[];
  readonly out?: string;
  readonly force?: boolean;
}

const collect = (value: string, before: readonly string[]): string[] => [
  ...before,
  ...stringList().parse(value),
];

/** Adds `certs`. */
export function addCertificateCommands(program: Command): void {
  const certs = program.command('certs').description('certificates for HTTPS');
  certs
    .command('init')
    .description('make a private CA and a server certificate; prints what the agents must trust')
    .option('--host <name>', 'name or address that agents use; may be repeated', collect, [])
    .option('--out <folder>', 'folder for the files (default: certs in path.config)')
    .option('--force', 'replace the server certificate; the CA is kept where there is one')
    .action(async (options: InitOptions, command: Command) => init(options, command));
}

async function init(options: InitOptions, command: Command): Promise<void> {
  const flags = globalFlags(command);
  const paths = settlePaths(COLLECTOR_HOME.folder, flags.paths);
  const folder = resolve(options.out ?? join(paths.config, 'certs'));
  const hosts = options.host.length > 0 ? options.host : ['localhost', '127.0.0.1', hostname()];
  const made = await initCertificates({ folder, hosts, force: options.force === true });
  console.log(`Made for ${hosts.join(', ')}:`);
  for (const file of made.files) console.log(`  ${file}`);
  console.log(`
In collector.yml:
  http.tls.certificate: ${join(folder, 'server.crt')}
  http.tls.key: ${join(folder, 'server.key')}

In each agent's launchbeat.yml one of:
  output.collector.ssl.certificate_authorities: [ca.crt]     # copy ${join(folder, 'ca.crt')} to the PC
  output.collector.ssl.ca_trusted_fingerprint: '${made.fingerprint}'

Keep ca.key safe: who has it can pose as the collector.`);
}
