/** What a page adds to try tensor cores: `openDevice({ kernels: subgroupMatrixKernels })`. Experimental in all browsers. */
export { subgroupMatrixKernels } from './engine/kernels/conv2dSubgroupMatrix.js';
export { joinKernels, type MoreKernels } from './engine/kernels/moreKernels.js';
