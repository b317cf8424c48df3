import packageJson from '../../package.json' with { type: 'json' };
import { compile } from '../../src/engine/compile.js';
import type { Device } from '../../src/engine/device.js';
import { grad } from '../../src/engine/grad.js';
import { binaryCrossEntropy, diceLoss } from '../../src/engine/ops/loss.js';
import { GradScaler } from '../../src/engine/optim/gradScaler.js';
import { SGD } from '../../src/engine/optim/sgd.js';
import type { PlanOptions } from '../../src/engine/plan/plan.js';
import type { Plan } from '../../src/engine/plan/types.js';
import type { Program } from '../../src/engine/program/program.js';
import type { Tensor } from '../../src/engine/tensor.js';
import type { Precision } from '../../src/unet/config.js';
import { UNet } from '../../src/unet/model.js';
import { type Batch, netLayers } from './net.js';
import { BCE_WEIGHT, DICE_WEIGHT, type Peer, type PeerConfig } from './peer.js';

type Step = Program<'image' | 'mask', 'loss'>;
type Forward = Program<'image', 'p'>;

/** This project's own engine, through the same door as its peers. */
export class Shadergrad implements Peer {
  readonly name: string;
  readonly version = packageJson.version;
  readonly note = '';
  readonly trains = true;
  private config: PeerConfig | undefined;
  private model: UNet | undefined;
  private sgd: SGD | undefined;
  private step: Promise<Step> | undefined;
  private forward: Promise<Forward> | undefined;

  /** `name`: what tables call it, where it is there twice. */
  constructor(
    private readonly device: Device,
    private readonly precision: Precision = 'f32',
    private readonly options: PlanOptions = {},
    name = 'shadergrad',
  ) {
    this.name = name;
  }

  async setup(config: PeerConfig): Promise<void> {
    await this.dispose();
    this.config = config;
    const { inChannels, outChannels, depth, baseChannels, dropout } = config.net;
    const model = new UNet({ inChannels, outChannels, depth, baseChannels, dropout });
    const names = stateNames(config);
    const state = [...(await model.stateDict())].map(([name, { shape }]) => {
      const data = config.weights.get(names.get(name) ?? '');
      if (!data) throw new Error(`The bench has no weights for ${name}.`);
      return [name, { shape, data }] as const;
    });
    model.loadStateDict(new Map(state));
    this.model = model;
    this.sgd = new SGD(model.parameters(), this.precision === 'mixed' ? { scaler: new GradScaler() } : {});
  }

  async trainStep(batch: Batch): Promise<number> {
    const { config } = this.ready();
    const program = await this.trainProgram();
    const { loss } = await program.run(
      { image: batch.image, mask: batch.mask },
      { lr: config.lr, momentum: config.momentum },
    );
    return loss.item();
  }

  async infer(batch: Batch): Promise<Float32Array> {
    const { p } = await (await this.inferProgram()).run({ image: batch.image });
    return p.data as Float32Array;
  }

  async readWeights(): Promise<Map<string, Float32Array>> {
    const { config, model } = this.ready();
    const names = stateNames(config);
    const values = [...(await model.stateDict())];
    return new Map(values.map(([name, { data }]) => [names.get(name) as string, data]));
  }

  /** The training step's plan, for its memory and its list of kernels. */
  async trainPlan(): Promise<Plan> {
    return (await this.trainProgram()).plan;
  }

  trainProgram(): Promise<Step> {
    const { config, model, sgd } = this.ready();
    const { batch, inChannels, outChannels, height, width } = config.net;
    this.step ??= compile(
      this.device,
      { image: [batch, inChannels, height, width], mask: [batch, outChannels, height, width] },
      ({ image, mask }) => {
        const p = this.probabilities(image, true);
        const loss = binaryCrossEntropy(p, mask).mul(BCE_WEIGHT).add(diceLoss(p, mask).mul(DICE_WEIGHT));
        sgd.update(grad(sgd.scaler?.scale(loss) ?? loss, model.parameters()));
        return { loss };
      },
      this.options,
    );
    return this.step;
  }

  inferProgram(): Promise<Forward> {
    const { config } = this.ready();
    const { batch, inChannels, height, width } = config.net;
    this.forward ??= compile(
      this.device,
      { image: [batch, inChannels, height, width] },
      ({ image }) => ({ p: this.probabilities(image, false) }),
      this.options,
    );
    return this.forward;
  }

  private probabilities(image: Tensor, training: boolean): Tensor {
    const { model } = this.ready();
    const x = this.precision === 'mixed' ? image.half() : image;
    return model.logits(x, { training }).float().sigmoid();
  }

  async dispose(): Promise<void> {
    const programs = [this.step, this.forward];
    this.step = undefined;
    this.forward = undefined;
    for (const program of programs) (await program)?.destroy();
  }

  private ready(): { config: PeerConfig; model: UNet; sgd: SGD } {
    const config = this.config;
    const model = this.model;
    const sgd = this.sgd;
    if (!config || !model || !sgd) throw new Error('shadergrad: setup() comes first.');
    return { config, model, sgd };
  }
}

/** The bench's name of each parameter, by its name in the U-Net's state dict. */
function stateNames({ net }: PeerConfig): Map<string, string> {
  const names = new Map<string, string>();
  for (const { name } of netLayers(net)) {
    const [side, level, part] = name.split('.') as [string, string, string];
    // The up path counts from the bottom.
    const at = side === 'up' ? net.depth - 2 - Number(level) : Number(level);
    const within =
      part === 'conv1' ? 'conv_block.conv_block.0' : part === 'conv2' ? 'conv_block.conv_block.3' : part;
    const path = side === 'last' ? 'last' : `${side}_path.${at}.${within}`;
    for (const kind of ['weight', 'bias']) names.set(`${path}.${kind}`, `${name}.${kind}`);
  }
  return names;
}
