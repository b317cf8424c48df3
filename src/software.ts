/** What a page adds where it may run on the CPU: `openDevice({ kernels: softwareKernels })`. */
export { softwareKernels } from './engine/kernels/conv2dSoftware.js';
export type { MoreKernels } from './engine/kernels/moreKernels.js';
