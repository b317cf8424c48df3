import { openDevice } from 'shadergrad';
import { softwareKernels as kernels } from 'shadergrad/software';
import { all } from '../all.js';

try {
  postMessage(JSON.stringify(await all(await openDevice({ kernels }))));
} catch (error) {
  postMessage(error.message);
}
