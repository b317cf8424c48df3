export { Rng, type RngState } from '../engine/random.js';
