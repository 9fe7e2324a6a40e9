/**
 * Takes `http.tls` of the config, gives what a TLS server needs; looks for renewed files and takes them up while it runs.
 * Keeps: TLS 1.2 at least; a broken pair of files leaves the old one in force; a client certificate that nobody known has signed is
 * refused, also where none is required.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Server as HttpsServer } from 'node:https';
import { createSecureContext, type TLSSocket, type TlsOptions } from 'node:tls';
import { type Log, resolveFile } from '@launchbeat/ecs-schemas/beat';
import type { HttpConfig } from './http-config.ts';

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  /** Of those who may have signed the certificates of agents; empty = none are asked for. */
  readonly authorities: readonly string[];
  readonly clients: HttpConfig['tls']['client_authentication'];
}

const MIN_VERSION = 'TLSv1.2';
/**
 * After a restart all agents come at once, and a thousand handshakes take seconds of a core: whoever was cut off while waiting for
 * his would come again and make it worse.
 */
const HANDSHAKE_TIMEOUT_MS = 30_000;

/** The files of the config as absolute paths; undefined = plain HTTP. */
export function certificateFiles(
  { tls }: HttpConfig,
  configFolder: string,
): CertificateFiles | undefined {
  const { enabled, certificate, key, certificate_authorities, client_authentication } = tls;
  if (!enabled || certificate === undefined || key === undefined) return undefined;
  const clients = client_authentication;
  const authorities = clients === 'none' ? [] : certificate_authorities;
  return {
    certificate: resolveFile(configFolder, certificate),
    key: resolveFile(configFolder, key),
    authorities: authorities.map((file) => resolveFile(configFolder, file)),
    clients,
  };
}

/** Options of the server. Throws with the key to change where a file cannot be read or used. */
export function tlsOptions(files: CertificateFiles): TlsOptions {
  return {
    ...secureContext(files),
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    requestCert: files.clients !== 'none',
    rejectUnauthorized: files.clients === 'required',
  };
}

/** Closes connections that show a certificate nobody known has signed; for `optional`, where TLS itself lets them pass. */
export function refuseForeignCertificates(server: HttpsServer, files: CertificateFiles): void {
  if (files.clients !== 'optional') return;
  server.on('secureConnection', (socket: TLSSocket) => {
    const shown = Object.keys(socket.getPeerCertificate()).length > 0;
    if (shown && !socket.authorized) socket.destroy();
  });
}

export interface CertificateWatch {
  /** Looks now. */
  look(): void;
  /** Ends the looking. */
  end(): void;
}

/** Looks at the files' times again and again and takes what changed up for new connections. */
export function watchCertificate(
  server: HttpsServer,
  files: CertificateFiles,
  options: { readonly log: Log; readonly everyMs: number },
): CertificateWatch {
  const { log, everyMs } = options;
  const all = [files.certificate, files.key, ...files.authorities];
  const times = (): string =>
    all.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0).join();
  let before = times();
  const look = (): void => {
    const now = times();
    if (now === before) return;
    before = now;
    try {
      const context = secureContext(files);
      server.setSecureContext(context);
      const { validTo } = new X509Certificate(context.cert);
      log.info(
        { 'file.path': files.certificate },
        `Took up the renewed certificate, good until ${validTo}.`,
      );
    } catch (err) {
      log.error(
        { err },
        'Renewed certificate cannot be used; the old one stays in force. Mend the files of http.tls.',
      );
    }
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  return { look, end: () => clearInterval(timer) };
}

function secureContext(files: CertificateFiles) {
  const pair = {
    cert: readFile(files.certificate, 'certificate'),
    key: readFile(files.key, 'key'),
    minVersion: MIN_VERSION,
    ...(files.authorities.length === 0
      ? {}
      : { ca: files.authorities.map((file) => readFile(file, 'certificate_authorities')) }),
  } as const;
  try {
    // Before the server takes them: it would keep a half of what is wrong.
    createSecureContext(pair);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(
      `${files.certificate} and ${files.key} cannot be used (${code ?? 'no PEM'}): do they belong together? See http.tls.`,
      { cause },
    );
  }
  return pair;
}

function readFile(file: string, name: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'error';
    throw new Error(
      `Cannot read ${file} (${code}). Put the file there or change http.tls.${name}.`,
      { cause },
    );
  }
}
