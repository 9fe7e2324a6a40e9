/**
 * Takes a secret from standard input: typed without echo on a terminal, or the whole of a pipe.
 */
import { createInterface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

export interface SecretInput {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Where a terminal's user is asked. */
  readonly stderr: { write(line: string): unknown };
}

/** One line typed without echo; from a pipe everything, without the line end after it. */
export async function readSecret(question: string, input: SecretInput): Promise<string> {
  if (input.stdin.isTTY !== true) return (await text(input.stdin)).replace(/\r?\n$/, '');
  const silent = new Writable({ write: (_piece, _encoding, done) => done() });
  const lines = createInterface({ input: input.stdin, output: silent, terminal: true });
  // Asked only now, when the terminal echoes no longer.
  input.stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(new Error('Nothing was stored.')));
      lines.once('close', () => reject(new Error('Nothing was stored.')));
    });
  } finally {
    lines.close();
    input.stderr.write('\n');
  }
}
