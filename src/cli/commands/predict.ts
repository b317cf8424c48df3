import type { Command } from 'commander';
import {
  choiceOption,
  type DeviceOptions,
  deviceFlags,
  examples,
  type JsonOptions,
  jsonFlags,
  numberOption,
  type TuningOptions,
  tuningFlags,
} from '../flags.js';
import type { Io } from '../io.js';

/** `shadergrad predict`: masks of one's own images. */
export interface PredictOptions extends DeviceOptions, TuningOptions, JsonOptions {
  /** TIFF or PNG files, folders, zips. */
  readonly inputs: readonly string[];
  /** A run's folder (its best checkpoint) or a safetensors file. */
  readonly model: string;
  /** Where the masks go. */
  readonly out: string;
  /** The run's own when left out, .5 where the model does not tell. */
  readonly threshold?: number;
  /** Side of the square the network sees; what the weights were trained at, else each image's own size. */
  readonly size?: number;
  /** Write probabilities (0..255) in place of masks. */
  readonly probabilities?: boolean;
  /** File type of what is written; that of each input when left out. */
  readonly format?: 'tiff' | 'png';
  /** Leave out inputs whose output is there already. */
  readonly skipExisting?: boolean;
}

export function definePredict(program: Command, action: (options: PredictOptions) => Promise<void>): void {
  const command = program
    .command('predict')
    .description("segment images: a mask of each input's own size")
    .argument('<inputs...>', 'TIFF or PNG files, folders or zips')
    .requiredOption('--model <path>', 'a run folder (its best checkpoint) or a safetensors file')
    .requiredOption('--out <folder>', 'where the masks go')
    .addOption(
      numberOption(
        '--threshold <p>',
        "probability above which a pixel is lesion (default: the run's, else 0.5)",
        {
          min: 0,
          max: 0.999,
        },
      ),
    )
    .addOption(
      numberOption('--size <pixels>', 'side of the square the network sees (default: as it was trained)', {
        integer: true,
        min: 1,
      }),
    )
    .option('--probabilities', 'write probabilities as 0..255 instead of masks')
    .addOption(choiceOption('--format <type>', "file type, default the input's own", ['tiff', 'png']))
    .option('--skip-existing', 'leave out inputs whose mask is there already');
  jsonFlags(tuningFlags(deviceFlags(command))).action(
    (inputs: string[], options: Omit<PredictOptions, 'inputs'>) => action({ ...options, inputs }),
  );
  examples(command, [
    ['predict scan.tif --model runs/post --out masks', 'one file: masks/scan_mask.tif'],
    ['predict scans/ more.zip --model best.safetensors --out masks --skip-existing', 'go on with many'],
  ]);
}

/** @throws at the end when any input failed; the others are written */
export async function runPredict(options: PredictOptions, io: Io): Promise<void> {
  const { predict } = await import('../run/predict.js');
  await predict(options, io);
}
