/**
 * Takes names and secrets, keeps them in `<path.data>/<program>.keystore`, encrypted with AES-256-GCM under a random key in
 * `<program>.keystore.key` beside it; both files are for their owner alone, and on Windows the key is bound to the PC.
 * Keeps: a keystore that was changed or has another key is refused, never read in part; no secret is in any message.
 * What it is for: secrets stay out of configs, process lists and backups of one file. It is no vault: who can read both files
 * as the program's account can read the secrets (Beats' keystore has a key that follows from an empty password).
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { type KeyGuard, keyGuard } from './key-guard.ts';
import { readPrivateFile } from './private-file.ts';
import { replaceFile } from './replace-file.ts';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
/** Bound into every keystore, so that another version's file is not taken for this one's. */
const CONTEXT = Buffer.from('launchbeat keystore 1');
const SECRET_CHARACTERS_MAX = 64 * 1024;

const fileSchema = z.object({
  version: z.literal(1),
  nonce: z.base64(),
  tag: z.base64(),
  data: z.base64(),
});
const entriesSchema = z.record(z.string(), z.string());

/** Names that a config can name: those of variables. */
export const KEY_NAME = /^[A-Za-z_][A-Za-z0-9_.]*$/;

export interface Keystore {
  readonly file: string;
  exists(): boolean;
  /** Makes an empty keystore under a new key; what was there is gone. */
  create(): void;
  /** All secrets by name; none where there is no keystore. Throws with the mend where it cannot be read. */
  read(): ReadonlyMap<string, string>;
  /** Replaces the contents; makes the keystore if need be. */
  write(entries: ReadonlyMap<string, string>): void;
}

/** The keystore of a program in a data folder. Nothing is touched before a method is called. */
export function openKeystore(
  dataFolder: string,
  program: string,
  guard: KeyGuard = keyGuard(),
): Keystore {
  const file = join(dataFolder, `${program}.keystore`);
  const keyFile = `${file}.key`;

  const readKey = (): Buffer | undefined => {
    const stored = readPrivateFile(keyFile);
    if (stored === undefined) return undefined;
    const key = opened(stored);
    if (key.length !== KEY_BYTES) throw broken(keyFile, 'it is no key');
    return key;
  };
  const opened = (stored: Buffer): Buffer => {
    try {
      return guard.open(stored);
    } catch (error) {
      throw broken(keyFile, (error as Error).message);
    }
  };
  const seal = (entries: ReadonlyMap<string, string>, key: Buffer): void => {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(CONTEXT);
    const text = JSON.stringify(Object.fromEntries(entries));
    const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    const sealed = {
      version: 1,
      nonce: nonce.toString('base64'),
      tag: cipher.getAuthTag().toString('base64'),
      data: data.toString('base64'),
    };
    replaceFile(file, Buffer.from(`${JSON.stringify(sealed)}\n`));
  };
  const makeKey = (): Buffer => {
    const key = randomBytes(KEY_BYTES);
    replaceFile(keyFile, guard.close(key));
    return key;
  };

  return {
    file,
    exists: () => readPrivateFile(file) !== undefined,
    create: () => seal(new Map(), makeKey()),
    read() {
      const bytes = readPrivateFile(file);
      if (bytes === undefined) return new Map();
      const key = readKey();
      if (key === undefined) throw broken(file, `its key ${keyFile} is missing`);
      return unseal(file, bytes, key);
    },
    write(entries) {
      const there = readPrivateFile(file) !== undefined;
      const key = readKey();
      if (there && key === undefined) throw broken(file, `its key ${keyFile} is missing`);
      seal(entries, key ?? makeKey());
    },
  };
}

function unseal(file: string, bytes: Buffer, key: Buffer): ReadonlyMap<string, string> {
  const sealed = fileSchema.safeParse(parsed(bytes));
  if (!sealed.success) throw broken(file, 'it is no keystore');
  const { nonce, tag, data } = sealed.data;
  const decode = (text: string): Buffer => Buffer.from(text, 'base64');
  try {
    const cipher = createDecipheriv(ALGORITHM, key, decode(nonce), { authTagLength: 16 })
      .setAAD(CONTEXT)
      .setAuthTag(decode(tag));
    const text = Buffer.concat([cipher.update(decode(data)), cipher.final()]).toString('utf8');
    return new Map(Object.entries(entriesSchema.parse(JSON.parse(text))));
  } catch {
    // The cause may hold parts of the text.
    throw broken(file, `it was changed, or ${file}.key is another keystore's key`);
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

const broken = (file: string, reason: string): Error =>
  new Error(
    `Keystore ${file} cannot be read: ${reason}. Restore both files, or begin anew with \`keystore create --force\`.`,
  );

/** Why a name or a secret cannot be kept; undefined = it can. */
export function unfitEntry(name: string, secret: string): string | undefined {
  if (!KEY_NAME.test(name)) {
    return `"${name}" is no name for a key: letters, digits, _ and . after a letter or _.`;
  }
  if (secret === '') return 'The secret is empty; nothing was stored.';
  if (secret.length > SECRET_CHARACTERS_MAX) return 'The secret is too long for a keystore.';
  return undefined;
}
