import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { listNodeAdapters } from '../src/node/device.js';
import { CASES, type CaseName, Context, PEERS, type PeerName, type Suite } from './context.js';
import { ladders } from './ladder/index.js';
import { nodeHost } from './node/host.js';
import { type Row, reportText, table } from './report.js';
import { ceiling } from './suites/ceiling.js';
import { check } from './suites/check.js';
import { infer } from './suites/infer.js';
import { ladder, ladderNamed } from './suites/ladder.js';
import { memory } from './suites/memory.js';
import { profile } from './suites/profile.js';
import { startup } from './suites/startup.js';
import { step } from './suites/step.js';

// In this order, so that the suites that need a cold start come first.
const SUITES: readonly Suite[] = [ceiling, step, startup, memory, infer, check, profile, ladder];

const HELP = `Usage: npm run bench -- [SUITE...] [options]

Suites (default: step):
${SUITES.map(({ name, about }) => `  ${name.padEnd(9)} ${about}`).join('\n')}
  all       every suite

Ladders: ${ladders.map(({ name }) => name).join(', ')}

Options:
  --adapter NAME   part of an adapter's name, or swiftshader, software, auto (default: SHADERGRAD_ADAPTER, else auto)
  --cases LIST     small, full or tiny, with commas between (default: small)
  --peers LIST     ${PEERS.join(', ')}, or none (default: all)
  --runs N         timed runs of each, in turns (default: 5)
  --layer TEXT     ladder: only layers whose name contains TEXT
  --variants LIST  ladder: only these variants
  --json FILE      also write the rows to FILE
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
        peers: { type: 'string', default: PEERS.join(',') },
        runs: { type: 'string', default: '5' },
        layer: { type: 'string' },
        variants: { type: 'string' },
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

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments(process.argv.slice(2));
  if (values.help) {
    console.log(HELP);
    return;
  }
  if (values.adapters) {
    for (const { name, kind, software } of await listNodeAdapters()) {
      console.log(`${name} (${kind}${software ? ', software' : ''})`);
    }
    return;
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

  const context = await Context.open(await nodeHost(values.adapter), {
    runs,
    cases: list<CaseName>(values.cases, Object.keys(CASES) as CaseName[], '--cases'),
    peers: values.peers === 'none' ? [] : list<PeerName>(values.peers, PEERS, '--peers'),
    ladder: { ops, layer: values.layer, variants: values.variants?.split(',') },
  });
  context.versions.node = process.versions.node;
  const { software } = context.device.facts;
  const adapter = context.device.name;
  context.log(`${adapter}${software ? ' (software: it runs on the CPU)' : ''}, ${runs} runs each, in turns`);
  const rows: Row[] = [];
  try {
    for (const suite of SUITES) if (wanted.has(suite.name)) rows.push(...(await suite.run(context)));
  } finally {
    await context.close();
  }
  console.log(textOf(rows));
  if (values.json !== undefined) {
    const { versions } = context;
    const date = new Date().toISOString();
    await writeFile(values.json, reportText({ adapter, software, versions, commit: commit(), date, rows }));
  }
}

try {
  await main();
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${HELP}`);
  else console.error((error as Error).stack ?? error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
// Peers keep timers and devices that nothing here can close.
process.exit();
