/// <reference types="@webgpu/types" preserve="true" />
/** What a page or a worker imports: the engine, and the U-Net with inference and training. */
export * from './engine/index.js';
export { type AugmentItem, augmentRow, minMaxScaling } from './engine/kernels/augment.js';
export {
  decodeWeights,
  encodeWeights,
  inferConfig,
  modelFrom,
  type Preparation,
  type Weights,
} from './unet/checkpoint.js';
export { checkTrainConfig, postPreset, presets, smallPreset, type TrainConfig } from './unet/config.js';
export { segmentationLoss } from './unet/loss.js';
export { referenceConfig, UNet, type UNetConfig } from './unet/model.js';
export { type Image8, Segmenter, type SegmenterOptions } from './unet/segment.js';
export {
  type BatchSource,
  type HostBatch,
  type LossSums,
  type Progress,
  type StepReport,
  Trainer,
} from './unet/train.js';
