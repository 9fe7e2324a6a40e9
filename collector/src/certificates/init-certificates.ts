/**
 * Takes the names under which agents reach the collector; gives a private CA and a server certificate as PEM files, for
 * those who have no PKI of their own.
 * Keeps: no file is overwritten unasked; the CA stays the same when the server certificate is renewed, so that agents which
 * trust it (by file or by fingerprint) go on; keys are readable by their owner only.
 */
import 'reflect-metadata';
import {
  createHash,
  createPrivateKey,
  X509Certificate as NodeCertificate,
  type webcrypto,
} from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const { subtle } = globalThis.crypto;

export interface InitCertificatesOptions {
  /** Folder of the four files; made if it is not there. */
  readonly folder: string;
  /** DNS names (`*.example.org` too) and IP addresses for the server certificate; at least one. */
  readonly hosts: readonly string[];
  /** Renew a server certificate that is there. The CA is kept all the same. */
  readonly force?: boolean;
}

interface CertificateFiles {
  readonly caCertificate: string;
  readonly caKey: string;
  /** The server's certificate followed by the CA's: the handshake carries both, so that trust by fingerprint finds the CA. */
  readonly serverCertificate: string;
  readonly serverKey: string;
}

export interface InitCertificatesResult {
  /** `ca.crt`, `ca.key`, `server.crt` (with the CA behind it) and `server.key`, in this order, in the folder as it was given. */
  readonly files: readonly string[];
  /** SHA-256 of the CA certificate's DER, lower-case hex without colons, as `ssl.ca_trusted_fingerprint` of Elastic's products wants it. */
  readonly fingerprint: string;
  /** False: the CA was there and was kept. */
  readonly caCreated: boolean;
  /** When the server certificate ends. */
  readonly serverNotAfter: Date;
}

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** PCs whose clock is a little behind must not refuse a certificate made just now. */
const BACKDATED_MS = 3_600_000;
const CA_DAYS = 3652;
/** Below 398 days, the most that common TLS clients take (CA/Browser Forum ballot SC31). */
const SERVER_DAYS = 397;
/** X.520 upper bound of a common name. */
const COMMON_NAME_LENGTH_MAX = 64;
const KEY_MODE = 0o600;
const CERTIFICATE_MODE = 0o644;

interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
  readonly created: boolean;
}

/**
 * Makes what is missing of the CA and the server certificate.
 * Throws an Error that names file and mend when a file would be overwritten, a host is no name, or the CA that is there is
 * broken, half or over.
 */
export async function initCertificates(
  options: InitCertificatesOptions,
): Promise<InitCertificatesResult> {
  const files = filesOf(options.folder);
  checkHosts(options.hosts);
  const inTheWay = [files.serverCertificate, files.serverKey].filter((file) => existsSync(file));
  if (inTheWay.length > 0 && options.force !== true) {
    throw new Error(
      `${inTheWay.join(' and ')} would be overwritten. To renew the server certificate, say so with --force; the CA is kept.`,
    );
  }
  mkdirSync(options.folder, { recursive: true });
  const authority = (await readAuthority(files)) ?? (await makeAuthority(files));
  const serverNotAfter = await makeServerCertificate(files, options.hosts, authority);
  return {
    files: [files.caCertificate, files.caKey, files.serverCertificate, files.serverKey],
    fingerprint: createHash('sha256')
      .update(Buffer.from(authority.certificate.rawData))
      .digest('hex'),
    caCreated: authority.created,
    serverNotAfter,
  };
}

function filesOf(folder: string): CertificateFiles {
  return {
    caCertificate: join(folder, 'ca.crt'),
    caKey: join(folder, 'ca.key'),
    serverCertificate: join(folder, 'server.crt'),
    serverKey: join(folder, 'server.key'),
  };
}

/** A host name as RFC 1123 has it, its first label may be `*`. */
const HOST_NAME =
  /^(?=.{1,253}$)(?:\*\.)?(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*$/;

function checkHosts(hosts: readonly string[]): void {
  if (hosts.length === 0) {
    throw new Error(
      'No host was given. Name the DNS names and IP addresses under which agents reach the collector.',
    );
  }
  const wrong = hosts.filter((host) => isIP(host) === 0 && !HOST_NAME.test(host));
  if (wrong.length > 0) {
    throw new Error(
      `Not a DNS name or IP address: ${wrong.map((host) => JSON.stringify(host)).join(', ')}. Write names without scheme, port or path.`,
    );
  }
}

/** The CA of the folder; undefined if there is none. */
async function readAuthority(files: CertificateFiles): Promise<Authority | undefined> {
  const there = [files.caCertificate, files.caKey].filter((file) => existsSync(file));
  if (there.length === 0) return undefined;
  if (there.length === 1) {
    throw new Error(
      `Only ${there[0]} is there, of ca.crt and ca.key. Put the other one beside it, or move it away to get a new CA (agents must then be told to trust that one).`,
    );
  }
  const pem = readFileSync(files.caCertificate, 'utf8');
  const keyPem = readFileSync(files.caKey, 'utf8');
  try {
    const node = new NodeCertificate(pem);
    const key = createPrivateKey(keyPem);
    if (!node.ca || !node.checkPrivateKey(key)) throw new Error('they are no CA and its key');
    if (node.validToDate.getTime() < Date.now())
      throw new Error(`it ended on ${node.validToDate.toISOString()}`);
    const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
    return {
      certificate: new x509.X509Certificate(pem),
      key: await subtle.importKey('pkcs8', new Uint8Array(pkcs8), KEY_ALGORITHM, false, ['sign']),
      created: false,
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot use ${files.caCertificate} with ${files.caKey}: ${reason}. Mend them, or move both away to get a new CA (agents must then be told to trust that one).`,
      { cause },
    );
  }
}

async function makeAuthority(files: CertificateFiles): Promise<Authority> {
  const keys = await subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['Launchbeat CA'] }, { O: ['Launchbeat'] }],
    notBefore: new Date(Date.now() - BACKDATED_MS),
    notAfter: new Date(Date.now() + CA_DAYS * DAY_MS),
    signingAlgorithm: SIGNATURE,
    keys,
    extensions: [
      // Path length 0: this CA signs server certificates, never another CA.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  write(files.caKey, await keyPem(keys.privateKey), KEY_MODE);
  write(files.caCertificate, certificatePem(certificate), CERTIFICATE_MODE);
  return { certificate, key: keys.privateKey, created: true };
}

async function makeServerCertificate(
  files: CertificateFiles,
  hosts: readonly string[],
  authority: Authority,
): Promise<Date> {
  const signed = await sign(authority, hosts[0] ?? '', [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(
      [...new Set(hosts)].map((host) => ({ type: isIP(host) === 0 ? 'dns' : 'ip', value: host })),
    ),
  ]);
  write(files.serverKey, signed.key, KEY_MODE);
  const chain = signed.certificate + certificatePem(authority.certificate);
  write(files.serverCertificate, chain, CERTIFICATE_MODE);
  return signed.notAfter;
}

/** A key and its certificate by the CA, both as PEM. */
async function sign(
  authority: Authority,
  name: string,
  purpose: readonly x509.Extension[],
): Promise<{ readonly certificate: string; readonly key: string; readonly notAfter: Date }> {
  const keys = await subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const notAfter = new Date(
    Math.min(Date.now() + SERVER_DAYS * DAY_MS, authority.certificate.notAfter.getTime()),
  );
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [name.slice(0, COMMON_NAME_LENGTH_MAX)] }, { O: ['Launchbeat'] }],
    issuer: authority.certificate.subjectName,
    notBefore: new Date(Date.now() - BACKDATED_MS),
    notAfter,
    signingAlgorithm: SIGNATURE,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...purpose,
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
    ],
  });
  return {
    certificate: certificatePem(certificate),
    key: await keyPem(keys.privateKey),
    notAfter,
  };
}

export interface ClientCertificate {
  /** PEM files: the certificate, its key. */
  readonly files: readonly [certificate: string, key: string];
  readonly notAfter: Date;
}

/**
 * Makes a certificate that an agent shows (http.tls.client_authentication), by the CA of the folder: `client-<name>.crt` and `.key`.
 * Throws an Error with the mend where the folder has no CA, the name cannot be a file's, or the files are there already.
 */
export async function makeClientCertificate(
  folder: string,
  name: string,
): Promise<ClientCertificate> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) {
    throw new Error(`${JSON.stringify(name)} is no name: letters, digits, dot, dash and _.`);
  }
  const files = [join(folder, `client-${name}.crt`), join(folder, `client-${name}.key`)] as const;
  const there = files.filter((file) => existsSync(file));
  if (there.length > 0) {
    throw new Error(
      `${there.join(' and ')} would be overwritten. Move them away to make new ones.`,
    );
  }
  const authority = await readAuthority(filesOf(folder));
  if (authority === undefined) {
    throw new Error(`${folder} has no CA. Make one with launchbeat-collector certs init.`);
  }
  const signed = await sign(authority, name, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ]);
  write(files[1], signed.key, KEY_MODE);
  write(files[0], signed.certificate, CERTIFICATE_MODE);
  return { files, notAfter: signed.notAfter };
}

function certificatePem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem').trim()}\n`;
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
}

/** Writes beside the file and renames: a reader sees the old one or the new one, and never a key with the wrong mode. */
function write(file: string, text: string, mode: number): void {
  const beside = `${file}.new-${process.pid}`;
  writeFileSync(beside, text, { mode, flag: 'w' });
  renameSync(beside, file);
}
