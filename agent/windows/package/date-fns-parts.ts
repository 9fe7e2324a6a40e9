/**
 * What the bundle has in the place of date-fns: the functions that pino-roll asks for, out of two hundred that would all be loaded.
 */
export { addDays } from '../../../node_modules/date-fns/addDays.js';
export { addHours } from '../../../node_modules/date-fns/addHours.js';
export { format } from '../../../node_modules/date-fns/format.js';
export { isValid } from '../../../node_modules/date-fns/isValid.js';
export { parse } from '../../../node_modules/date-fns/parse.js';
