import { failureOf } from './failure.js';
import { type Api, type Call, Moved, type Reply } from './messages.js';

function post(reply: Reply, transfer: readonly Transferable[] = []): void {
  globalThis.postMessage(reply, { transfer: [...transfer] });
}

/** Answers the page's calls with the functions of `api`, from within a worker. */
export function serve(api: Api): void {
  globalThis.addEventListener('message', async ({ data }: MessageEvent<Call>) => {
    const { id, name, argument } = data;
    try {
      const result = await (api[name] as (argument: unknown) => unknown)(argument);
      if (result instanceof Moved) post({ id, result: result.value }, result.transfer);
      else post({ id, result });
    } catch (error) {
      post({ id, failure: failureOf(error) });
    }
  });
}

/** Tells the page something that it did not ask for. */
export function emit<E>(event: E, transfer: readonly Transferable[] = []): void {
  post({ event }, transfer);
}
