/**
 * The command `keystore create | add | list | remove` of both programs, as Beats have it.
 * Keeps: a secret comes from standard input only (an argument would stand in the process list) and is never printed.
 * Source: Beats' command reference.
 */
import type { Command } from 'commander';
import { globalFlags } from './command-line.ts';
import { type Keystore, unfitEntry } from './keystore.ts';
import { type AnyHome, programKeystore } from './program-config.ts';
import { readSecret } from './read-secret.ts';

/** Adds `keystore`. It works without a config that is right: the config may want what the keystore is to hold. */
export function addKeystoreCommands(program: Command, home: AnyHome): void {
  const open = (command: Command): Keystore => programKeystore(home, globalFlags(command));
  const keystore = program.command('keystore').description(`secrets for \${KEY} in the config`);
  keystore
    .command('create')
    .option('--force', 'replace the keystore; what it holds is lost')
    .description('make an empty keystore')
    .action((options: { force?: boolean }, command: Command) => {
      const store = open(command);
      if (options.force !== true && store.exists()) {
        throw new Error(`${store.file} exists. --force replaces it; what it holds is lost.`);
      }
      store.create();
      console.log(`Created ${store.file}`);
    });
  keystore
    .command('add')
    .argument('<key>', `name, for \${name} in the config`)
    .option('--stdin', 'take the secret from standard input without asking')
    .option('--force', 'replace the secret of that name')
    .description('store a secret; it is typed without echo, or piped in')
    .action(async (name: string, options: AddOptions, command: Command) =>
      add(open(command), name, options),
    );
  keystore
    .command('list')
    .description('print the names, never the secrets')
    .action((_options, command: Command) => {
      for (const name of [...open(command).read().keys()].sort()) console.log(name);
    });
  keystore
    .command('remove')
    .argument('<key...>', 'names to remove')
    .description('remove secrets')
    .action((names: string[], _options, command: Command) => remove(open(command), names));
}

interface AddOptions {
  readonly stdin?: boolean;
  readonly force?: boolean;
}

async function add(store: Keystore, name: string, options: AddOptions): Promise<void> {
  const entries = new Map(store.read());
  const wrong = unfitEntry(name, 'x');
  if (wrong !== undefined) throw new Error(wrong);
  if (entries.has(name) && options.force !== true) {
    throw new Error(`${name} is in the keystore already. --force replaces it.`);
  }
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true && options.stdin !== true) {
    throw new Error('There is no terminal to ask on. Give the secret on standard input: --stdin.');
  }
  const secret = await readSecret(`Secret for ${name} (not shown): `, { stdin, stderr });
  const unfit = unfitEntry(name, secret);
  if (unfit !== undefined) throw new Error(unfit);
  store.write(entries.set(name, secret));
  console.log(`Stored ${name} in ${store.file}`);
}

function remove(store: Keystore, names: readonly string[]): void {
  const entries = new Map(store.read());
  const missing = names.filter((name) => !entries.delete(name));
  if (missing.length > 0) {
    throw new Error(`Not in the keystore: ${missing.join(', ')}. Nothing was removed.`);
  }
  store.write(entries);
  console.log(`Removed ${names.join(', ')} from ${store.file}`);
}
