/**
 * The names of `z` in the bundle; see zod-parts.ts.
 */
export * as iso from '../../../node_modules/zod/v4/classic/iso.js';
export * from '../../../node_modules/zod/v4/classic/schemas.js';
export { NEVER } from '../../../node_modules/zod/v4/core/core.js';
export { toJSONSchema } from '../../../node_modules/zod/v4/core/json-schema-processors.js';
