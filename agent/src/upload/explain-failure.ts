/**
 * Takes the error of a connection, gives one sentence that names the cause and the mend.
 */

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'The name of the host is not known to DNS: see output.collector.url',
  EAI_AGAIN: 'DNS does not answer: see the network of this computer',
  ECONNREFUSED: 'Nothing listens on that port: is the collector running, is the port right?',
  ECONNRESET: 'The connection was broken off by the other side',
  EPIPE: 'The connection was broken off by the other side',
  UND_ERR_SOCKET: 'The connection was broken off by the other side',
  EHOSTUNREACH: 'There is no way to the host: see network and firewall',
  ENETUNREACH: 'There is no way to the network of the host',
  ETIMEDOUT: 'The host does not answer in time: see network and firewall',
  UND_ERR_CONNECT_TIMEOUT: 'The host does not answer in time: see network and firewall',
  UND_ERR_HEADERS_TIMEOUT: 'The collector took the request and does not answer in time',
  UND_ERR_BODY_TIMEOUT: 'The answer stopped half way',
  TIMEOUT_ERR: 'The answer took too long as a whole',
  CERT_HAS_EXPIRED: "The collector's certificate has expired: renew it",
  CERT_NOT_YET_VALID: "The collector's certificate is not valid yet: is the clock right?",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "The collector's certificate is for another host name: use one of its names in output.collector.url",
  HPE_INVALID_CONSTANT: 'The other side does not speak HTTP: should the URL begin with https://?',
};

const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
]);

/** One sentence without a full stop; the error's code follows in brackets. */
export function explainFailure(error: unknown): string {
  const { code, message } = innermost(error);
  if (UNTRUSTED.has(code))
    return `The collector's certificate comes from an authority that is not trusted here: set output.collector.ssl.certificate_authorities or ca_trusted_fingerprint (${code})`;
  if (code.startsWith('ERR_SSL_'))
    return `TLS cannot be agreed: should the URL begin with http://, or is a proxy between? (${code})`;
  const words = WORDS[code];
  return words === undefined ? message : `${words} (${code})`;
}

/** The first error of a chain of causes that has a code. */
function innermost(error: unknown): { code: string; message: string } {
  let message = 'unknown error';
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const inner = at instanceof AggregateError && at.errors[0] instanceof Error ? at.errors[0] : at;
    const code = (inner as NodeJS.ErrnoException).code;
    if (inner.name === 'TimeoutError') return { code: 'TIMEOUT_ERR', message: inner.message };
    if (typeof code === 'string') return { code, message: inner.message };
    message = inner.message;
  }
  return { code: '', message };
}
