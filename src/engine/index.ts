export { type CompileOptions, compile, evaluate, type InputSpec, plan } from './compile.js';
export {
  type AdapterInfo,
  Device,
  GpuError,
  type GpuErrorCode,
  isSoftware,
  kindOf,
  nameOf,
  type OpenDeviceOptions,
  openDevice,
  readInfo,
} from './device.js';
export { randomInteger, randomNormal, rngFrom, shuffle } from './draws.js';
export { LimitError, ShaderGradError } from './errors.js';
export { grad } from './grad.js';
export {
  type Access,
  type Binding,
  type Constant,
  type Constants,
  type DeviceFacts,
  type DeviceLimits,
  type DType,
  f32,
  i32,
  type Launch,
  type Layout,
  type Lowering,
  type Operand,
  type Shader,
  type TypedConstant,
} from './kernel.js';
export type { MoreKernels } from './kernels/moreKernels.js';
export { Conv2d, ConvTranspose2d, Dropout, MaxPool2d, ReLU, Sequential, Sigmoid } from './nn/layers.js';
export { type ForwardOptions, Module, type StateDict } from './nn/module.js';
export type { GradInput, LayoutNeed, LowerInput, Op } from './op.js';
export { cat } from './ops/cat.js';
export { type Conv2dOptions, type ConvTranspose2dOptions, conv2d, convTranspose2d } from './ops/conv.js';
export { dropout } from './ops/dropout.js';
export { binaryCrossEntropy, binaryCrossEntropyWithLogits, diceLoss } from './ops/loss.js';
export { pad } from './ops/pad.js';
export { type MaxPool2dOptions, maxPool2d } from './ops/pool.js';
export { amax, mean, type ReductionOptions, sum } from './ops/reduce.js';
export { Adam, type AdamOptions } from './optim/adam.js';
export { GradScaler, type GradScalerOptions, type ScalerValues } from './optim/gradScaler.js';
export { type OneCycleOptions, oneCycle } from './optim/oneCycle.js';
export { SGD, type SGDOptions } from './optim/sgd.js';
export type { PlanOptions } from './plan/plan.js';
export type { Plan, PlanStep } from './plan/types.js';
export { profile, type StepTime } from './program/profile.js';
export { type HostArray, Program, type RunOptions, Value } from './program/program.js';
export { readParameters, writeParameter } from './program/residence.js';
export { Rng } from './random.js';
export { Parameter, Tensor, tensor } from './tensor.js';
export { assign } from './trace.js';
export { loadTuning, saveTuning, type TextStore } from './tuning/store.js';
export { isTableOf, parseTable, type TuningEntry, type TuningTable, tunedDevice } from './tuning/table.js';
export { type Tuned, type TuneOptions, type TuneProgress, tune } from './tuning/tune.js';
