export { randomInteger, randomNormal, rngFrom, shuffle } from '../engine/draws.js';
export { Rng, type RngState } from '../engine/random.js';
