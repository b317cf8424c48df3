// Made by: shadergrad tune --ship. The best kernel for each problem, measured on llvmpipe.
import type { ShippedEntries } from '../shipped.js';

export const llvmpipe: ShippedEntries = {};
