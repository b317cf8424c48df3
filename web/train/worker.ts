/** The Train tab's worker: one training at a time. */
import { CodedError, failureOf } from '../rpc/failure.js';
import { Moved } from '../rpc/messages.js';
import { emit, serve } from '../rpc/serve.js';
import type { TrainEvent, TrainFacts, TrainSetup } from './protocol.js';
import { Session } from './session.js';

const tell = (event: TrainEvent): void => emit(event);

let session: Session | null = null;

const api = {
  /** Makes all ready and starts; the rest comes as events. */
  async start(setup: TrainSetup): Promise<TrainFacts> {
    await session?.close();
    session = null;
    const opened = await Session.open(setup, tell);
    session = opened;
    opened.run().catch((error: unknown) => tell({ is: 'failure', failure: failureOf(error) }));
    return opened.facts;
  },
  pause: (on: boolean): void => session?.pause(on),
  stop: (_: null): void => session?.stop(),
  async weights(_: null): Promise<Moved<Uint8Array<ArrayBuffer>>> {
    if (!session) throw new CodedError('missing', 'There are no weights yet: start a training first.');
    const bytes = await session.weights();
    return new Moved(bytes, [bytes.buffer]);
  },
};

export type TrainApi = typeof api;
serve(api);
