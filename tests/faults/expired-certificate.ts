/**
 * Takes the folder of a CA that `certs init` made, gives a server certificate of it that ended yesterday.
 */
import 'reflect-metadata';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const { subtle } = globalThis.crypto;
const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const DAY_MS = 86_400_000;

/** PEM texts; the certificate has the CA's behind it. */
export async function expiredCertificate(
  folder: string,
  host: string,
): Promise<{ readonly certificate: string; readonly key: string }> {
  const authorityPem = readFileSync(join(folder, 'ca.crt'), 'utf8');
  const authority = new x509.X509Certificate(authorityPem);
  const authorityKey = createPrivateKey(readFileSync(join(folder, 'ca.key')));
  const signingKey = await subtle.importKey(
    'pkcs8',
    new Uint8Array(authorityKey.export({ type: 'pkcs8', format: 'der' })),
    KEY,
    false,
    ['sign'],
  );
  const keys = await subtle.generateKey(KEY, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [host] }],
    issuer: authority.subjectName,
    notBefore: new Date(Date.now() - 30 * DAY_MS),
    notAfter: new Date(Date.now() - DAY_MS),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
    ],
  });
  const der = Buffer.from(await subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return {
    certificate: `${certificate.toString('pem').trim()}\n${authorityPem}`,
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
