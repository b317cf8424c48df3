import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { commit } from '../../src/cli/environment.js';
import { atomicWrite } from '../../src/cli/files.js';
import { plural } from '../../src/cli/plural.js';
import { GpuError } from '../../src/engine/device.js';
import { listNodeAdapters } from '../../src/node/device.js';
import type { Precision } from '../../src/unet/config.js';
import {
  CASES,
  type CaseName,
  Context,
  type LadderOptions,
  PEERS,
  type PeerName,
  type Suite,
} from '../context.js';
import { benchPage } from '../html/page.js';
import { ladders } from '../ladder/index.js';
import { ladderText } from '../ladder/text.js';
import { KernelError, type UserKernel } from '../ladder/userKernel.js';
import { figure, type Row, reportText, table } from '../report.js';
import { ceiling, measureCeiling } from '../suites/ceiling.js';
import { check } from '../suites/check.js';
import { encode } from '../suites/encode.js';
import { infer } from '../suites/infer.js';
import { ladder, ladderNamed, runLadders } from '../suites/ladder.js';
import { memory } from '../suites/memory.js';
import { profile } from '../suites/profile.js';
import { startup } from '../suites/startup.js';
import { step } from '../suites/step.js';
import { tuning } from '../suites/tuning.js';
import { nodeHost } from './host.js';
import { saves } from './saves.js';

// In this order, so that the suites that need a cold start come first.
const SUITES: readonly Suite[] = [
  ceiling,
  step,
  startup,
  memory,
  encode,
  infer,
  check,
  profile,
  ladder,
  tuning,
];

const help = (command: string): string => `Usage: ${command} [SUITE...] [options]

Suites (default: step):
${SUITES.map(({ name, about }) => `  ${name.padEnd(9)} ${about}`).join('\n')}
  all       every suite

Ladders: ${ladders.map(({ name }) => name).join(', ')}

Options:
  --adapter NAME   part of an adapter's name, or swiftshader, software, auto (default: SHADERGRAD_ADAPTER, else auto)
  --cases LIST     small, full or tiny, with commas between (default: small)
  --precision P    f32 or mixed: our programs, with those in f32 beside them, and the convolutions' ladders in f16 (default: f32)
  --peers LIST     ${PEERS.join(', ')}, or none (default: all)
  --runs N         timed runs of each, in turns (default: 5)
  --layer TEXT     ladder: only layers whose name contains TEXT
  --variants LIST  ladder: only these variants
  --kernel FILE    ladder: check a WGSL file of your own and time it beside them (docs/bench.md says what it is given)
  --like NAME      ladder: the variant whose place it takes (default: its line "// like: NAME", else its file's name)
  --print-wgsl     ladder: print each final WGSL module, of --kernel alone where there is one
  --watch          ladder: run again whenever the file of --kernel is saved
  --json FILE      also write the rows to FILE
  --html FILE      also write a page to FILE: the roofline, the ladders, the profile, the peers
  --adapters       list the adapters and stop
  --help           this text`;

/** A mistake in the command line: told without a stack. */
class UsageError extends Error {}

function list<T extends string>(text: string, allowed: readonly T[], flag: string): T[] {
  return text.split(',').map((part) => {
    const found = allowed.find((name) => name === part.trim());
    if (!found) throw new UsageError(`${flag} knows ${allowed.join(', ')}, not "${part}".`);
    return found;
  });
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        adapter: { type: 'string' },
        adapters: { type: 'boolean' },
        cases: { type: 'string', default: 'small' },
        precision: { type: 'string', default: 'f32' },
        peers: { type: 'string', default: PEERS.join(',') },
        runs: { type: 'string', default: '5' },
        layer: { type: 'string' },
        variants: { type: 'string' },
        kernel: { type: 'string' },
        like: { type: 'string' },
        'print-wgsl': { type: 'boolean' },
        watch: { type: 'boolean' },
        html: { type: 'string' },
        json: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** What is wrong with a name the user gave, as a mistake of theirs. */
function known<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The rows as each suite shows them; what has no form of its own in one table. */
function textOf(rows: readonly Row[]): string {
  const own = SUITES.filter(({ text }) => text).map(({ name }) => name);
  const rest = rows.filter(({ suite }) => !own.includes(suite));
  const parts = SUITES.flatMap(({ name, text }) => {
    const part = rows.filter(({ suite }) => suite === name);
    return text && part.length > 0 ? [text(part)] : [];
  });
  return [...(rest.length > 0 ? [table(rest)] : []), ...parts].join('\n\n');
}

/** The WGSL file of `--kernel`, as it is now. */
async function readKernel(file: string, like: string | undefined): Promise<UserKernel> {
  try {
    return { name: path.basename(file), code: await readFile(file, 'utf8'), like };
  } catch (error) {
    throw new UsageError(`--kernel: ${file} cannot be read: ${(error as Error).message}.`);
  }
}

/**
 * The bench's command line. `command` is how it was called, for the help.
 *
 * @returns the exit status: 1 where a kernel was wrong, too
 */
export async function bench(args: readonly string[], command: string): Promise<number> {
  try {
    return await run(args, command);
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${help(command)}`);
      return 2;
    }
    const told = error instanceof KernelError || error instanceof GpuError || error instanceof RangeError;
    console.error(told ? (error as Error).message : ((error as Error).stack ?? error));
    return 1;
  }
}

async function run(args: readonly string[], command: string): Promise<number> {
  const { values, positionals } = readArguments([...args]);
  if (values.help) {
    console.log(help(command));
    return 0;
  }
  if (values.adapters) {
    for (const { name, kind, software } of await listNodeAdapters()) {
      console.log(`${name} (${kind}${software ? ', software' : ''})`);
    }
    return 0;
  }
  const names = SUITES.map(({ name }) => name);
  // What follows `ladder` may be names of ladders.
  const at = positionals.indexOf('ladder');
  const isLadder = (word: string, i: number): boolean => at >= 0 && i > at && !names.includes(word);
  const ops = positionals.filter(isLadder).flatMap((word) => word.split(','));
  for (const op of ops) known(() => ladderNamed(op));
  const suites = positionals.filter((word, i) => !isLadder(word, i));
  const wanted = new Set(
    suites.length === 0
      ? ['step']
      : suites.includes('all')
        ? names
        : list(suites.join(','), names, 'The bench'),
  );
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new UsageError(`--runs must be a whole number from 1, not "${values.runs}".`);
  const { kernel: file, like, watch } = values;
  if (file === undefined && (like !== undefined || watch))
    throw new UsageError('--like and --watch are about the file of --kernel; give it too.');
  if (file !== undefined && (ops.length !== 1 || wanted.size !== 1))
    throw new UsageError('--kernel goes with one ladder alone: bench ladder conv2d --kernel FILE.');
  const kernel = file === undefined ? undefined : await readKernel(file, like);
  const ladderOptions: LadderOptions = {
    ops,
    layer: values.layer,
    variants: values.variants?.split(','),
    kernel,
    print: values['print-wgsl'] ? (text) => console.log(text) : undefined,
  };

  const [precision = 'f32'] = list<Precision>(values.precision, ['f32', 'mixed'], '--precision');
  const context = await Context.open(await nodeHost(values.adapter), {
    runs,
    cases: list<CaseName>(values.cases, Object.keys(CASES) as CaseName[], '--cases'),
    peers: values.peers === 'none' ? [] : list<PeerName>(values.peers, PEERS, '--peers'),
    precision,
    ladder: ladderOptions,
  });
  context.versions.node = process.versions.node;
  const { software, features } = context.device.facts;
  const adapter = context.device.name;
  context.log(
    `${adapter}${software ? ' (software: it runs on the CPU)' : ''}, ${precision === 'f32' ? '' : `${precision} precision, `}${plural(runs, 'run')} each, in turns`,
  );
  if (precision === 'mixed' && !features.includes('shader-f16')) {
    await context.close();
    throw new RangeError(`--precision mixed needs the feature shader-f16, which ${adapter} has not.`);
  }
  if (file !== undefined && watch) return watchKernel(context, file, ladderOptions);
  const rows: Row[] = [];
  try {
    for (const suite of SUITES) if (wanted.has(suite.name)) rows.push(...(await suite.run(context)));
    // Shares are of a ceiling: it belongs in the file too.
    if (!wanted.has('ceiling') && rows.some(({ suite }) => suite === 'ladder' || suite === 'profile')) {
      const { rows: measured } = await measureCeiling(context);
      rows.unshift(...measured.filter((row) => row.case === 'best'));
    }
  } finally {
    await context.close();
  }
  console.log(textOf(rows));
  const { versions } = context;
  const date = new Date().toISOString();
  const report = {
    adapter,
    software,
    precision,
    versions,
    commit: (await commit()) ?? 'unknown',
    date,
    rows,
  };
  if (values.json !== undefined) await atomicWrite(values.json, reportText(report));
  if (values.html !== undefined) await atomicWrite(values.html, benchPage(report));
  return rows.some(({ note }) => note?.startsWith('WRONG')) ? 1 : 0;
}

/** Runs the kernel now and at each save, until the process is ended. */
async function watchKernel(context: Context, file: string, options: LadderOptions): Promise<never> {
  let last: Row[] | undefined;
  for await (const _ of saves(file)) {
    try {
      const kernel = await readKernel(file, options.kernel?.like);
      const rows = await runLadders(context, { ...options, kernel });
      console.log(`${ladderText(rows)}${sinceLast(kernel.name, last, rows)}`);
      last = rows;
    } catch (error) {
      context.device.check();
      console.error((error as Error).message);
    }
    console.log(`\n${new Date().toLocaleTimeString()}: waiting for ${file} to be saved; Ctrl+C ends.\n`);
  }
  throw new Error(`${file} is no longer watched.`);
}

/** How the kernel's times compare with those before the save. */
function sinceLast(name: string, before: readonly Row[] | undefined, now: readonly Row[]): string {
  const own = (rows: readonly Row[]) =>
    rows.filter(({ variant, unit, value }) => variant === name && unit === 'ms' && value !== null);
  const lines = own(now).flatMap(({ what, value }) => {
    const old = own(before ?? []).find((row) => row.what === what)?.value;
    if (old === undefined || old === null) return [];
    return [`\n${what} ${figure(value as number)} ms, ${figure(old)} before the save`];
  });
  return lines.length > 0 ? `\n${lines.join('')}` : '';
}
