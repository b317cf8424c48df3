// Made by npm run tuning. The best kernel for each problem, where it is not the one that is expected.
import type { ShippedEntries } from '../shipped.js';

export const llvmpipe: ShippedEntries = {};
