/** Options that several commands share, and parsers that refuse a bad value in one sentence. */
import { type Command, Option } from 'commander';
import { UsageError } from './io.js';

/** Which adapter to run on. */
export interface DeviceOptions {
  /** Part of the adapter's name; what the platform prefers when left out. */
  readonly adapter?: string;
  /** True: only an adapter that runs on the CPU; false: never such a one. */
  readonly software?: boolean;
  readonly power?: 'low-power' | 'high-performance';
}

/** Which tuning table chooses kernels. */
export interface TuningOptions {
  /** A table's file; false: none at all, not even the one that ships; left out: the one saved for this device, if any. */
  readonly tuning?: string | false;
}

/** What every command takes. */
export interface CommonOptions {
  /** Print the stack of an error. */
  readonly debug?: boolean;
}

/** A command that can speak to a machine. */
export interface JsonOptions extends CommonOptions {
  readonly json?: boolean;
}

interface Bounds {
  readonly integer?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** The bounds themselves are out of range. */
  readonly open?: boolean;
}

/** An option that takes a number within bounds; anything else is a UsageError that names the flag and the value. */
export function numberOption(flags: string, description: string, bounds: Bounds = {}): Option {
  const flag = longName(flags);
  return new Option(flags, description).argParser((text) => parseNumber(flag, text, bounds));
}

/** An option that takes one of `choices`. */
export function choiceOption(flags: string, description: string, choices: readonly string[]): Option {
  const flag = longName(flags);
  return new Option(flags, `${description} (${choices.join(', ')})`).argParser((text) => {
    if (choices.includes(text)) return text;
    throw new UsageError(`${flag} must be one of ${choices.join(', ')}, not "${text}".`);
  });
}

/** The number in `text`. @throws UsageError naming `flag` when it is none or is out of bounds */
export function parseNumber(flag: string, text: string, { integer, min, max, open }: Bounds = {}): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const low = min === undefined || (open ? value > min : value >= min);
  const high = max === undefined || (open ? value < max : value <= max);
  if (Number.isFinite(value) && (!integer || Number.isSafeInteger(value)) && low && high) return value;
  const range =
    min !== undefined && max !== undefined
      ? ` ${open ? 'between' : 'from'} ${min} ${open ? 'and' : 'to'} ${max}`
      : min !== undefined
        ? ` ${open ? 'greater than' : 'of at least'} ${min}`
        : max !== undefined
          ? ` ${open ? 'below' : 'of at most'} ${max}`
          : '';
  throw new UsageError(`${flag} must be a ${integer ? 'whole ' : ''}number${range}, not "${text}".`);
}

/** Adds `--adapter`, `--software` and `--power`. */
export function deviceFlags(command: Command): Command {
  return command
    .option('--adapter <name>', 'run on the adapter whose name contains this')
    .option('--software', 'run on the CPU')
    .option('--no-software', 'never run on the CPU')
    .addOption(choiceOption('--power <kind>', 'which adapter to prefer', ['low-power', 'high-performance']));
}

/** Adds `--tuning` and `--no-tuning`. */
export function tuningFlags(command: Command): Command {
  return command
    .option('--tuning <file>', 'choose kernels by this table (default: what shadergrad tune saved)')
    .option('--no-tuning', 'choose kernels without any table');
}

/** Adds `--debug`, which is last in every help. */
export function commonFlags(command: Command): Command {
  return command.option('--debug', 'print where an error comes from');
}

/** Adds `--json` and `--debug`. */
export function jsonFlags(command: Command): Command {
  return commonFlags(command.option('--json', 'print JSON for a machine to read'));
}

/** Adds examples below a command's help: pairs of a command line and what it does. */
export function examples(
  command: Command,
  lines: readonly (readonly [line: string, what: string])[],
): Command {
  const text = lines.map(([line, what]) => `  # ${what}\n  $ shadergrad ${line}`).join('\n');
  return command.addHelpText('after', `\nExamples:\n${text}\n`);
}

function longName(flags: string): string {
  return /--[a-z-]+/.exec(flags)?.[0] ?? flags;
}
