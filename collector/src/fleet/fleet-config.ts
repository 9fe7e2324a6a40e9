/**
 * `fleet:` of collector.yml: when an agent counts as offline, how often it may check in, how long its facts stay.
 */
import { duration } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

export const fleetConfigSchema = z
  .strictObject({
    /** An agent that did not check in for so long is offline. */
    offline_after: duration('5m').refine((ms) => ms > 0, 'Expected more than 0'),
    /** Check-ins a minute and key that are taken; above it 429. */
    requests_per_minute: z.int().positive().default(30),
    facts: z
      .strictObject({
        /** Health facts and what was changed in the fleet are dropped when they are older; 0 keeps them for ever. */
        retention: duration('90d'),
      })
      .prefault({}),
  })
  .prefault({});

export type FleetConfig = z.infer<typeof fleetConfigSchema>;
