/** What is wrong with a file, a data set or a split: one sentence naming the place, the fault and the remedy. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

/** The text of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `a, b, c and 4 more`: names a few of many. */
export function nameSome(names: readonly string[], most = 3): string {
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(', ')} and ${rest} more` : names.join(', ');
}
