/**
 * `http:` of collector.yml: where the collector listens, and with which certificate.
 * Keeps: outside loopback TLS is the default; plain HTTP there has to be asked for.
 */
import { duration } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

export const httpConfigSchema = z
  .strictObject({
    /** Address or name to listen on; 0.0.0.0 or :: = all. */
    host: z.string().min(1).default('localhost'),
    /** 0 = any free one. */
    port: z.int().min(0).max(65_535).default(8443),
    tls: z
      .strictObject({
        /** false: plain HTTP also outside loopback, behind a proxy that speaks TLS. */
        enabled: z.boolean().default(true),
        /** PEM file: the certificate and those between it and its CA. Absent on loopback: plain HTTP. */
        certificate: z.string().min(1).optional(),
        /** PEM file with its private key. */
        key: z.string().min(1).optional(),
      })
      .prefault({}),
    /** Connections at once; more are closed as they come. */
    connections_max: z.int().positive().default(5000),
    /** Running requests may take so long when the collector ends. */
    stop_timeout: duration('20s'),
  })
  .prefault({})
  .superRefine(({ host, tls }, context) => {
    if (!tls.enabled) return;
    if ((tls.certificate === undefined) !== (tls.key === undefined)) {
      const missing = tls.key === undefined ? 'key' : 'certificate';
      const message = 'Certificate and key belong together. Name both files.';
      context.addIssue({ code: 'custom', path: ['tls', missing], message });
    } else if (tls.certificate === undefined && !LOOPBACK.test(host)) {
      const message =
        'Missing outside loopback. Make one with launchbeat-collector certs init, ' +
        'or set http.tls.enabled: false behind a proxy that speaks TLS.';
      context.addIssue({ code: 'custom', path: ['tls', 'certificate'], message });
    }
  });

export type HttpConfig = z.infer<typeof httpConfigSchema>;
