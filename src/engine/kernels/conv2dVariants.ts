import { forwardLadder } from './conv2dForward.js';
import { inputGradLadder } from './conv2dInputGrad.js';
import { softwareKernels } from './conv2dSoftware.js';
import { subgroupMatrixKernels } from './conv2dSubgroupMatrix.js';
import { weightGradLadder } from './conv2dWeightGrad.js';

/** All kernels there are, for the bench and the tests; not for what ships to pages, which is to carry what it needs. */
export const conv2dLadders = {
  forward: [...forwardLadder, ...softwareKernels.conv2d, ...subgroupMatrixKernels.conv2d],
  inputGrad: [
    ...inputGradLadder,
    ...softwareKernels.conv2dInputGrad,
    ...subgroupMatrixKernels.conv2dInputGrad,
  ],
  weightGrad: [
    ...weightGradLadder,
    ...softwareKernels.conv2dWeightGrad,
    ...subgroupMatrixKernels.conv2dWeightGrad,
  ],
};

/** Names that `Lowering.forced` accepts, each ladder from the plainest on. */
export const conv2dVariants = {
  forward: conv2dLadders.forward.map((v) => v.name),
  inputGrad: conv2dLadders.inputGrad.map((v) => v.name),
  weightGrad: conv2dLadders.weightGrad.map((v) => v.name),
};
