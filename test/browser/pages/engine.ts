import { everyKernel } from '../../../src/everyKernel.js';
import { openDevice } from '../../../src/index.js';
import { caseCount, caseResults, trainTinyUNet } from '../work.js';

const device = await openDevice({ kernels: everyKernel });

/** What the test calls from outside. Arrays cross to it as plain ones. */
const api = {
  caseCount,
  caseResults: (from: number, to: number) => caseResults(device, from, to),
  trainTinyUNet: () => trainTinyUNet(device),
  close: () => device.close(),
};

export type EngineApi = typeof api;
Object.assign(globalThis, { api });
