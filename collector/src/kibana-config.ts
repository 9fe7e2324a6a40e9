/**
 * `kibana:` of collector.yml: where `setup --dashboards` imports to, and what messages link to. Keys follow setup.kibana of Beats.
 * Nothing else talks to Kibana.
 */
import { duration, httpUrl, optionalText, stringList } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

export const kibanaConfigSchema = z
  .strictObject({
    /** URL of Kibana, with its base path. */
    host: httpUrl.default('http://localhost:5601'),
    /** URL of Kibana as people open it, with its base path, for the link in messages; absent = no link. */
    link: httpUrl.optional(),
    /** Space to import into. */
    space: optionalText,
    /** API key, encoded (Base64 of id:api_key) or `id:api_key`; instead of username and password. */
    api_key: optionalText,
    /** Basic authentication. */
    username: optionalText,
    password: optionalText,
    ssl: z
      .strictObject({
        /** PEM files of the CAs to trust instead of Node's own list. */
        certificate_authorities: stringList(),
      })
      .prefault({}),
    /** Language of titles and labels. */
    language: z.enum(['en', 'ru']).default('en'),
    /** How long to wait for a Kibana that is starting. */
    wait: duration('120s'),
  })
  .prefault({})
  .refine((config) => config.api_key === undefined || config.username === undefined, {
    path: ['api_key'],
    message: 'Give api_key or username and password, not both',
  })
  .refine((config) => (config.username === undefined) === (config.password === undefined), {
    path: ['password'],
    message: 'Give username and password together',
  });

export type KibanaConfig = z.infer<typeof kibanaConfigSchema>;
