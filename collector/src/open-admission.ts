/**
 * Opens what stands at the door: who the agents are, what a request may take, whose address it has.
 * Keeps: the limits of admit, fleet and the proxies are asked with each request, so that they can change while it runs.
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { type Authenticate, createAuthenticate } from './admit/authenticate.ts';
import { type Admit, createAdmit } from './admit/create-admit.ts';
import { createFailedKeys } from './admit/failed-keys.ts';
import { type ClientAddresses, createClientAddresses } from './client-address.ts';
import type { Sql } from './commit/database.ts';
import { createReady, type ReadyEvent, type RulesInForce } from './commit/ready-event.ts';
import type { CollectorConfig } from './config.ts';
import { createFleet, type Fleet } from './fleet/create-fleet.ts';
import { createKeyStore } from './fleet/keys.ts';
import { createFleetRoutes, type FleetRoutes } from './fleet-routes.ts';

export interface AdmissionOptions {
  readonly sql: Sql;
  readonly config: CollectorConfig;
  readonly rules: { inForce(): RulesInForce };
  readonly log: Log;
}

export interface OpenAdmission {
  readonly admit: Admit<ReadyEvent>;
  readonly authenticate: Authenticate;
  readonly fleet: Fleet;
  readonly routes: FleetRoutes;
  readonly addresses: ClientAddresses;
  /** `admit`, `fleet` and the proxies of this config are in force from the next request on. */
  use(config: CollectorConfig): void;
}

/** Opens it. */
export function openAdmission({ sql, config, rules, log }: AdmissionOptions): OpenAdmission {
  // Copies that change in place: whoever holds one sees what is in force.
  const limits = { ...config.admit };
  const fleetConfig = { ...config.fleet };
  const keys = createKeyStore(sql);
  const failed = createFailedKeys(() => limits.failed_keys_per_minute);
  const authenticate = createAuthenticate({ config: limits, keys, failed, log });
  const { namespaces } = config.elasticsearch;
  const fleet = createFleet({ sql, config: fleetConfig, log });
  const { noteSecurity } = fleet;
  const addresses = createClientAddresses(config.http);
  return {
    admit: createAdmit({
      ...{ config: limits, keys, authenticate, namespaces, noteSecurity, log },
      startKeeping: createReady(rules.inForce),
    }),
    ...{ authenticate, fleet, addresses },
    routes: createFleetRoutes({
      ...{ fleet, keys, authenticate, failed, log },
      perMinute: () => fleetConfig.requests_per_minute,
      bodyTimeoutMs: () => limits.body_timeout,
    }),
    use(changed) {
      Object.assign(limits, changed.admit);
      Object.assign(fleetConfig, changed.fleet);
      addresses.use(changed.http);
    },
  };
}
