import { joinKernels, subgroupMatrixKernels } from './matrix.js';
import { softwareKernels } from './software.js';

/** For who does not mind the size: what a plan may choose on any device. */
export const everyKernel = /* @__PURE__ */ joinKernels(softwareKernels, subgroupMatrixKernels);
