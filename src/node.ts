/// <reference types="@webgpu/types" preserve="true" />
/** What Node adds to the engine: devices through Dawn, and the tuning tables saved on this machine. */
export * from './node/device.js';
export { readTuning, savedTuning, tuningPath } from './node/tuningFile.js';
