import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { listNodeAdapters } from '../src/node/device.js';
import { CASES, type CaseName, Context, PEERS, type PeerName, type Suite } from './context.js';
import { type Row, table, writeReport } from './report.js';
import { ceiling } from './suites/ceiling.js';
import { check } from './suites/check.js';
import { infer } from './suites/infer.js';
import { memory } from './suites/memory.js';
import { startup } from './suites/startup.js';
import { step } from './suites/step.js';

// In this order, so that the suites that need a cold start come first.
const SUITES: readonly Suite[] = [ceiling, step, startup, memory, infer, check];

const HELP = `Usage: npm run bench -- [SUITE...] [options]

Suites (default: step):
${SUITES.map(({ name, about }) => `  ${name.padEnd(9)} ${about}`).join('\n')}
  all       every suite

Options:
  --adapter NAME   part of an adapter's name, or swiftshader, software, auto (default: SHADERGRAD_ADAPTER, else auto)
  --cases LIST     small, full, or both with a comma between (default: small)
  --peers LIST     ${PEERS.join(', ')}, or none (default: all)
  --runs N         timed runs of each, in turns (default: 5)
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
        json: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
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
  const wanted = new Set(
    positionals.length === 0
      ? ['step']
      : positionals.includes('all')
        ? names
        : list(positionals.join(','), names, 'The bench'),
  );
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new UsageError(`--runs must be a whole number from 1, not "${values.runs}".`);

  const context = await Context.open({
    adapter: values.adapter,
    runs,
    cases: list<CaseName>(values.cases, Object.keys(CASES) as CaseName[], '--cases'),
    peers: values.peers === 'none' ? [] : list<PeerName>(values.peers, PEERS, '--peers'),
  });
  const { software } = context.device.facts;
  const adapter = context.device.name;
  context.log(`${adapter}${software ? ' (software: it runs on the CPU)' : ''}, ${runs} runs each, in turns`);
  const rows: Row[] = [];
  try {
    for (const suite of SUITES) if (wanted.has(suite.name)) rows.push(...(await suite.run(context)));
  } finally {
    await context.close();
  }
  console.log(table(rows));
  if (values.json !== undefined) {
    const { versions } = context;
    const date = new Date().toISOString();
    await writeReport(values.json, { adapter, software, versions, commit: commit(), date, rows });
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
