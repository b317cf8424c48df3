import { openDevice } from '../../../src/index.js';
import { softwareKernels } from '../../../src/software.js';
import { caseCount, caseResults, trainTinyUNet } from '../work.js';

const device = await openDevice({ kernels: softwareKernels });

/** What the test calls from outside. Arrays cross to it as plain ones. */
const api = {
  caseCount,
  caseResults: (from: number, to: number) => caseResults(device, from, to),
  trainTinyUNet: () => trainTinyUNet(device),
  close: () => device.close(),
};

export type EngineApi = typeof api;
Object.assign(globalThis, { api });
