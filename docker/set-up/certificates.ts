/**
 * Takes the names under which agents reach the collector, gives a private CA in one folder and what the collector needs in
 * another one.
 * Keeps: the CA's key never lies where the collector can read it; a certificate that fits and lasts is left alone, one that
 * ends soon or lacks a name is renewed by the same CA, so that agents go on trusting it.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { initCertificates } from '../../collector/src/certificates/init-certificates.ts';

export interface CertificateSettings {
  /** Folder of the CA with its key; for the set-up only. */
  readonly authorityFolder: string;
  /** Folder of server.crt, server.key and ca.crt; for the collector. */
  readonly folder: string;
  readonly hosts: readonly string[];
}

const RENEW_BEFORE_MS = 60 * 86_400_000;
/** What the collector gets. */
export const FOR_COLLECTOR: readonly string[] = ['ca.crt', 'server.crt', 'server.key'];

/** Makes or renews what is needed; says what it did and what agents must trust. Throws where a host is no name. */
export async function ensureCertificates(
  settings: CertificateSettings,
  now: Date,
): Promise<string> {
  const { authorityFolder, hosts } = settings;
  const reason = reasonToMake(join(authorityFolder, 'server.crt'), hosts, now);
  if (reason !== undefined) {
    await initCertificates({ folder: authorityFolder, hosts, force: true });
  }
  for (const name of FOR_COLLECTOR) {
    copyFileSync(join(authorityFolder, name), join(settings.folder, name));
  }
  const authority = new X509Certificate(readFileSync(join(authorityFolder, 'ca.crt')));
  const fingerprint = createHash('sha256').update(authority.raw).digest('hex');
  return `${reason === undefined ? 'left as they are' : `made, ${reason}`}. ssl.ca_trusted_fingerprint for agents: ${fingerprint}`;
}

/** Why the server certificate must be made; undefined if it fits. */
function reasonToMake(file: string, hosts: readonly string[], now: Date): string | undefined {
  if (!existsSync(file)) return 'since there were none';
  const certificate = new X509Certificate(readFileSync(file));
  const missing = hosts.find((host) =>
    isIP(host) === 0
      ? certificate.checkHost(host.replace(/^\*\./, 'any.')) === undefined
      : certificate.checkIP(host) === undefined,
  );
  if (missing !== undefined) return `since ${missing} was not in them`;
  return certificate.validToDate.getTime() - now.getTime() < RENEW_BEFORE_MS
    ? `since they would have ended on ${certificate.validTo}`
    : undefined;
}
