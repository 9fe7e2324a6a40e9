/**
 * `redaction:` of launchbeat.yml: secrets in command lines are replaced before anything is written to disk.
 */
import { linearPattern } from '@launchbeat/ecs-schemas/conditions';
import { z } from 'zod';

/** A pattern in RE2 syntax, checked when the config is read. */
const patternSchema = z
  .string()
  .min(1)
  .superRefine((source, context) => {
    const compiled = linearPattern(source);
    if (compiled.outcome === 'refused')
      context.addIssue({ code: 'custom', message: compiled.reason });
    else if (compiled.pattern.test('')) {
      context.addIssue({
        code: 'custom',
        message: 'Pattern matches the empty text. Make it match something.',
      });
    }
  });

export const redactionConfigSchema = z
  .strictObject({
    /** False: command lines are written as they are, secrets included. */
    enabled: z.boolean().default(true),
    /** Rules besides the built-in ones. */
    rules: z
      .array(
        z.strictObject({
          /** Stands in the mark: `‹redacted:kind:…›`. */
          kind: z
            .string()
            .regex(
              /^[a-z][a-z0-9_]{0,31}$/,
              'Kind must be lower-case letters, digits and "_", at most 32',
            ),
          /** What is a secret: the first group of the pattern, or all that it matches. */
          pattern: patternSchema,
        }),
      )
      .default([]),
  })
  .prefault({});

export type RedactionConfig = z.infer<typeof redactionConfigSchema>;
