/**
 * `launchbeat-collector certs init | client`: a private CA, a server certificate and certificates of agents, for who has none of
 * their own.
 */
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { globalFlags, settlePaths, stringList } from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import { initCertificates, makeClientCertificate } from '../certificates/init-certificates.ts';
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
  certs
    .command('client')
    .argument('<name>', 'name of the PC')
    .option('--out <folder>', 'folder of the CA and for the files (default: certs in path.config)')
    .description('make a certificate that an agent shows, for http.tls.client_authentication')
    .action(async (name: string, options: Pick<InitOptions, 'out'>, command: Command) =>
      client(name, options, command),
    );
}

function folderOf({ out }: Pick<InitOptions, 'out'>, command: Command): string {
  const paths = settlePaths(COLLECTOR_HOME.folder, globalFlags(command).paths);
  return resolve(out ?? join(paths.config, 'certs'));
}

async function client(
  name: string,
  options: Pick<InitOptions, 'out'>,
  command: Command,
): Promise<void> {
  const folder = folderOf(options, command);
  const { files, notAfter } = await makeClientCertificate(folder, name);
  console.log(`Made for ${name}, good until ${notAfter.toISOString()}:`);
  for (const file of files) console.log(`  ${file}`);
  console.log(`
Copy both to the PC, the key for the agent's account alone. In its launchbeat.yml:
  output.collector.ssl.certificate: client-${name}.crt
  output.collector.ssl.key: client-${name}.key

In collector.yml:
  http.tls.client_authentication: required
  http.tls.certificate_authorities: [${join(folder, 'ca.crt')}]`);
}

async function init(options: InitOptions, command: Command): Promise<void> {
  const folder = folderOf(options, command);
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
