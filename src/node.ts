/** What Node adds to the engine: devices through Dawn. */
export * from './node/device.js';
