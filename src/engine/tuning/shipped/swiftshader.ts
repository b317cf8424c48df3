// Made by: shadergrad tune --ship. The best kernel for each problem, measured on swiftshader.
import type { ShippedEntries } from '../shipped.js';

export const swiftshader: ShippedEntries = {};
