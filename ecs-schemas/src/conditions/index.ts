/** The door of what operators write to choose events: conditions in Beats' grammar, and patterns of linear time. */
export { compileCondition, type DocumentTest } from './compile-condition.ts';
export {
  type Complaints,
  type Condition,
  complaintsTo,
  conditionSchema,
  isTree,
  readCondition,
} from './condition-schema.ts';
export { fieldValue } from './field-value.ts';
export * from './linear-pattern.ts';
