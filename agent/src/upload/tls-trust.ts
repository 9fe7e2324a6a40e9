/**
 * Takes `ssl:` of the config, gives a connector that opens verified connections, through a proxy where there is one.
 * Keeps: a fingerprint is no short cut. The chain that the collector presents is fetched once without trust, the CA
 * certificate with that SHA-256 is picked out of it, and the real connection is then verified against that CA alone (and the
 * files of certificate_authorities), with the host name.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  connect,
  createSecureContext,
  type DetailedPeerCertificate,
  getCACertificates,
} from 'node:tls';
import type { OutputConfig } from './output-config.ts';
import type { OpenTunnel } from './proxy-tunnel.ts';
import { type buildConnector, newConnector } from './undici-parts.ts';

type Connector = buildConnector.connector;

const CHAIN_LENGTH_MAX = 10;

/** A connector for undici's Agent. Throws when a file of `ssl:` cannot be read. */
export function tlsConnector(
  config: Pick<OutputConfig, 'ssl' | 'timeout'>,
  tunnel?: OpenTunnel,
): Connector {
  const { ssl, timeout } = config;
  const options = {
    timeout,
    allowH2: false,
    minVersion: 'TLSv1.2' as const,
    ...clientCertificate(ssl),
  };
  const build = (trust: object): Connector =>
    throughTunnel(newConnector({ ...options, ...trust }), tunnel);
  if (ssl.verification_mode === 'none') return build({ rejectUnauthorized: false });
  const files = ssl.certificate_authorities.map((file) =>
    readPem(file, 'certificate_authorities', 'CERTIFICATE'),
  );
  const pin = ssl.ca_trusted_fingerprint;
  if (pin === undefined) return build({ ca: files.length > 0 ? files : systemAuthorities() });
  // The pinned CA may be an intermediate one, whose own issuer is not trusted.
  const trusting = (ca: string): Connector =>
    build({ ca: [...files, ca], allowPartialTrustChain: true });
  return pinnedConnector((to) => fetchChain(to, timeout, tunnel), pin, trusting);
}

/** Who may have signed the certificate of an https proxy: the authorities of the config and those of the system. */
export function proxyAuthorities({ ssl }: Pick<OutputConfig, 'ssl'>): string[] {
  const files = ssl.certificate_authorities.map((file) =>
    readPem(file, 'certificate_authorities', 'CERTIFICATE'),
  );
  return [...files, ...systemAuthorities()];
}

/** TLS on top of a connection that the tunnel gives. */
function throughTunnel(connector: Connector, tunnel: OpenTunnel | undefined): Connector {
  if (tunnel === undefined) return connector;
  return (options, callback) => {
    tunnel(options).then(
      (httpSocket) => connector({ ...options, httpSocket }, callback),
      (error: Error) => callback(error, null),
    );
  };
}

function clientCertificate(ssl: OutputConfig['ssl']): {
  cert?: string;
  key?: string;
  passphrase?: string;
} {
  if (ssl.certificate === undefined || ssl.key === undefined) return {};
  const cert = readPem(ssl.certificate, 'certificate', 'CERTIFICATE');
  const key = readPem(ssl.key, 'key', 'PRIVATE KEY');
  const passphrase = ssl.key_passphrase;
  const pair = { cert, key, ...(passphrase === undefined ? {} : { passphrase }) };
  try {
    createSecureContext(pair);
  } catch (cause) {
    throw new Error(
      `${ssl.certificate} and ${ssl.key} of output.collector.ssl cannot be used (${(cause as NodeJS.ErrnoException).code}): does the key belong to the certificate, is key_passphrase right?`,
      { cause },
    );
  }
  return pair;
}

/** Reads a PEM file that a key of `ssl:` names. */
function readPem(file: string, name: string, label: string): string {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(
      `Cannot read ${file} of output.collector.ssl.${name} (${(cause as NodeJS.ErrnoException).code}).`,
      { cause },
    );
  }
  if (!pem.includes(`${label}-----`)) {
    throw new Error(`${file} of output.collector.ssl.${name} holds no PEM ${label.toLowerCase()}.`);
  }
  return pem;
}

/** What Node.js trusts, and what the system does: a company's own CA comes to Windows by group policy. */
function systemAuthorities(): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

/** Fetches the pinned CA before the first connection, and again after one that failed (the CA may be a new one). */
function pinnedConnector(
  fetch: (to: buildConnector.Options) => Promise<readonly X509Certificate[]>,
  pin: string,
  build: (ca: string) => Connector,
): Connector {
  let known: Promise<Connector> | undefined;
  return (options, callback) => {
    known ??= fetch(options).then((chain) => build(pickAuthority(chain, pin)));
    known.then(
      (connector) =>
        connector(options, (error, socket) => {
          if (error === null) callback(null, socket);
          else {
            known = undefined;
            callback(error, null);
          }
        }),
      (error: Error) => {
        known = undefined;
        callback(error, null);
      },
    );
  };
}

/** The certificates that a server presents, the leaf first. Nothing is trusted and nothing is sent. */
export async function fetchChain(
  options: buildConnector.Options,
  timeoutMs: number,
  tunnel: OpenTunnel | undefined,
): Promise<readonly X509Certificate[]> {
  const host = options.hostname.replace(/^\[|\]$/g, '');
  const port = Number(options.port === '' ? 443 : options.port);
  const socket = connect({
    ...(tunnel === undefined ? { host, port } : { socket: await tunnel(options) }),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(timeoutMs, () => {
        reject(Object.assign(new Error('TLS handshake timed out'), { code: 'ETIMEDOUT' }));
      });
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    return chainOf(socket.getPeerCertificate(true));
  } finally {
    socket.destroy();
  }
}

function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let at: DetailedPeerCertificate | undefined = leaf;
  while (at?.raw !== undefined && chain.length < CHAIN_LENGTH_MAX) {
    chain.push(new X509Certificate(at.raw));
    // A root is its own issuer.
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate;
  }
  return chain;
}

function pickAuthority(chain: readonly X509Certificate[], pin: string): string {
  const digest = (one: X509Certificate): string =>
    one.fingerprint256.replaceAll(':', '').toLowerCase();
  const found = chain.find((one) => digest(one) === pin);
  if (found === undefined) {
    const seen = chain
      .map((one) => `${one.subject.replaceAll('\n', ', ')} ${digest(one)}`)
      .join('; ');
    throw new Error(
      `No certificate of the collector has the fingerprint of output.collector.ssl.ca_trusted_fingerprint. It sent: ${seen}. The collector must send its CA certificate along`,
    );
  }
  if (!found.ca) {
    throw new Error(
      'The certificate of output.collector.ssl.ca_trusted_fingerprint is not one of a CA: take the fingerprint of the CA certificate',
    );
  }
  return found.toString();
}
