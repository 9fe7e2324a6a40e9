/**
 * The key of this agent as it is in force now: every way to the collector asks here with each request, so that a new key is used
 * from the next request on.
 */
import { apiKeyAuthorization } from '@launchbeat/ecs-schemas';

export interface AgentKey {
  /** `id:secret`. */
  encoded(): string;
  /** From the next request on this one is sent. */
  use(encoded: string): void;
}

/** Begins with the key of the config, `id:secret`. */
export function createAgentKey(encoded: string): AgentKey {
  let current = encoded;
  return {
    encoded: () => current,
    use(other) {
      current = other;
    },
  };
}

/** The Authorization header of `id:secret`. */
export function authorizationOf(encoded: string): string {
  const [id = '', secret = ''] = encoded.split(':');
  return apiKeyAuthorization(id, secret);
}
