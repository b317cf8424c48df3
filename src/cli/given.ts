import type { Command } from 'commander';
import { UsageError } from './io.js';

/**
 * Refuses an empty value, as an unset variable of a shell gives it, and two paths or names for one option, of which one would
 * go unheard. Of numbers and choices the last counts, as scripts that add to a command line count on. To be called when all
 * options are defined.
 */
export function refuseEmptyAndTwice(command: Command): void {
  for (const option of command.options.filter(({ required }) => required)) {
    const flag = option.long ?? option.flags;
    let before: string | undefined;
    command.on(`option:${option.name()}`, (value: string) => {
      if (value.trim() === '')
        throw new UsageError(`${flag} was given an empty value; give it one, or leave it out.`);
      if (before !== undefined && before !== value && option.parseArg === undefined)
        throw new UsageError(`${flag} was given as ${before} and as ${value}; give it once.`);
      before = value;
    });
  }
  command.hook('preAction', () => {
    const empty = command.args.findIndex((each) => each.trim() === '');
    if (empty >= 0) {
      const name = command.registeredArguments.at(empty) ?? command.registeredArguments.at(-1);
      throw new UsageError(`<${name?.name() ?? 'argument'}> was given an empty value; give a path.`);
    }
  });
}
