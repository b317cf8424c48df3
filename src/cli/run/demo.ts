import { join } from 'node:path';
import { writeTree } from '../../data/node/writeTree.js';
import { syntheticFiles } from '../../data/synthetic.js';
import type { DemoOptions } from '../commands/demo.js';
import type { Io } from '../io.js';
import { train } from './train.js';

/** Small enough for a software adapter to be done in a few minutes, large enough for lesions to be found. */
const PATIENTS = 10;
const SLICES = 12;
const SIZE = 64;
const EPOCHS = 6;

/** `shadergrad demo`: makes a data set, trains the small preset on it, and leaves both in the run's folder. */
export async function demo(options: DemoOptions, io: Io): Promise<void> {
  const { out, seed, epochs = EPOCHS, force, json, adapter, software, power } = options;
  const data = join(out, 'data');
  const makeData = async () => {
    const say = json ? io.stderr : io.stdout;
    say.write(`making ${PATIENTS} synthetic patients in ${data}\n`);
    await writeTree(data, syntheticFiles({ patients: PATIENTS, slices: SLICES, size: SIZE, seed }));
  };
  await train(
    {
      data,
      out: join(out, 'run'),
      preset: 'small',
      size: SIZE,
      baseChannels: 8,
      depth: 4,
      batchSize: 4,
      lr: 3e-3,
      epochs,
      seed,
      ...(force === undefined ? {} : { force }),
      ...(json === undefined ? {} : { json }),
      ...(adapter === undefined ? {} : { adapter }),
      ...(software === undefined ? {} : { software }),
      ...(power === undefined ? {} : { power }),
    },
    io,
    ['demo', '--seed', `${seed}`],
    makeData,
  );
}
