import { count, plural } from '../plural.js';
import type { RunConfig } from '../records.js';

/** A titled list of what shaped a run. */
export interface FactGroup {
  readonly title: string;
  readonly rows: readonly (readonly [name: string, value: string])[];
}

/** The facts of a run, as its report and its first lines on screen tell them. */
export function factsOf(config: RunConfig): FactGroup[] {
  const { training, data, environment } = config;
  const { model, augmentation } = training;
  const side = ({ patients, slices, lesionSlices }: RunConfig['data']['train']) =>
    `${plural(patients, 'patient')}, ${plural(slices, 'slice')}, ${count(lesionSlices)} with a lesion`;
  const steps = config.stepsPerEpoch;
  const [low, high] = augmentation.angle;
  return [
    {
      title: 'Data',
      rows: [
        ['source', data.path],
        [
          'slices',
          `${data.width} x ${data.height}${data.width === training.size && data.height === training.size ? '' : `, seen at ${training.size} x ${training.size}`}`,
        ],
        ['split', data.split],
        ['training', side(data.train)],
        ['validation', side(data.valid)],
      ],
    },
    {
      title: 'Model',
      rows: [
        ['U-Net', `depth ${model.depth}, ${plural(model.baseChannels, 'base channel')}`],
        ['channels', `${model.inChannels} in, ${model.outChannels} out`],
        ['dropout', String(model.dropout)],
        ['parameters', count(config.parameters)],
      ],
    },
    {
      title: 'Training',
      rows: [
        ['preset', config.preset],
        [
          'schedule',
          `one-cycle, ${plural(training.epochs, 'epoch')} of ${plural(steps, 'step')}, ${count(training.epochs * steps)} in all`,
        ],
        ['learning rate', `at most ${training.lr}`],
        ['batch size', String(training.batchSize)],
        ['optimiser', training.optimizer],
        [
          'loss',
          `${round(1 - training.diceWeight)} cross-entropy on ${training.crossEntropy} + ${training.diceWeight} Dice`,
        ],
        ['draws', SAMPLING[training.sampling]],
        [
          'augmentation',
          `scale ±${augmentation.scale}, rotation ${low}° to ${high}°, flip ${augmentation.flip}`,
        ],
        ['threshold', String(config.threshold)],
        ['seed', String(training.seed)],
      ],
    },
    {
      title: 'Environment',
      rows: [
        [
          'adapter',
          `${environment.adapter.name}${environment.adapter.software ? ' (software: runs on the CPU)' : ''}`,
        ],
        ['started', config.started],
        ['command', `shadergrad ${config.command.join(' ')}`],
        [
          'shadergrad',
          `${environment.shadergrad}${environment.commit === null ? '' : `, commit ${environment.commit.replace(/^(.{12})[0-9a-f]+/, '$1')}`}`,
        ],
        ['Node', `${environment.node}, ${environment.platform}, ${plural(environment.cpus, 'CPU core')}`],
      ],
    },
  ];
}

const SAMPLING = {
  weighted: 'with replacement, weighted by lesion size',
  shuffled: 'each slice once, in random order',
  sequential: 'each slice once, in order',
} as const;

function round(value: number): number {
  return Number(value.toPrecision(6));
}
