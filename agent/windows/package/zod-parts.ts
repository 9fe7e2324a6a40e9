/**
 * What the bundle has in the place of zod: the parts that our schemas use. The whole package brings its messages in fifty languages,
 * which would lie in the memory of every PC; nothing can leave them out, since `z` names all of it.
 * Where a schema begins to use another part, the bundler stops and says so.
 */
export * as z from './zod-names.ts';
