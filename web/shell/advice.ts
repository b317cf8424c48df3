import type { Failure, FailureCode } from '../rpc/failure.js';

/** What the page says of a failure, beside its own sentence. */
export interface Advice {
  readonly title: string;
  /** What to do, one step each. */
  readonly steps: readonly string[];
  /** The text of the button that tries again; none where that cannot help. */
  readonly retry?: string;
}

const DRIVER = [
  'Turn on hardware acceleration in the browser’s settings and start the browser anew.',
  'Update the graphics driver; chrome://gpu or about:support says what the browser thinks of it.',
  'Without a GPU, Chrome runs WebGPU on the CPU when started with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader.',
];

const REPORT = 'If it comes again, press Diagnostics and send what it copies with a report of the fault.';

const ADVICE: Readonly<Record<FailureCode, Advice>> = {
  'no-api': {
    title: 'This browser has no WebGPU',
    steps: [
      'Open this page in a current Chrome, Edge, Firefox or Safari.',
      'In a browser that has it, look whether it is switched off in the settings or by a policy.',
    ],
  },
  'insecure-context': {
    title: 'WebGPU works on secure pages only',
    steps: [
      'Open this page over https, or from this machine as http://127.0.0.1 or http://localhost.',
      'From another machine, forward the port: ssh -L 8080:127.0.0.1:8080 host.',
    ],
  },
  'no-adapter': { title: 'The browser found no GPU', steps: DRIVER, retry: 'Look again' },
  'null-backend': { title: 'The browser has no driver for the GPU', steps: DRIVER, retry: 'Look again' },
  'adapter-too-small': {
    title: 'This GPU is too small for this',
    steps: ['Choose a smaller model, or in training a smaller size, batch or number of channels.'],
  },
  'no-device': {
    title: 'The GPU could not be opened',
    steps: ['Close other pages and programs that use the GPU.', REPORT],
    retry: 'Try again',
  },
  lost: {
    title: 'The GPU was lost',
    steps: [
      'This happens when the driver starts anew, the machine sleeps, or a program takes too long on the GPU.',
      'Open it again; what you loaded is still here.',
    ],
    retry: 'Open it again',
  },
  closed: { title: 'This part was closed', steps: ['Start it again.'], retry: 'Start again' },
  'out-of-memory': {
    title: 'The GPU is out of memory',
    steps: [
      'Close other pages and programs that use the GPU.',
      'Choose a smaller model, or in training a smaller size or batch.',
    ],
    retry: 'Try again',
  },
  validation: { title: 'The GPU refused a command', steps: [REPORT], retry: 'Try again' },
  internal: { title: 'The GPU failed', steps: [REPORT], retry: 'Try again' },
  data: { title: 'This could not be read', steps: ['Mend the file or choose another.'] },
  // Its own sentence says what to do.
  missing: { title: 'Something is missing', steps: [] },
  weights: {
    title: 'The weights could not be fetched',
    steps: ['Look whether the page’s server still runs and the connection is up.'],
    retry: 'Try again',
  },
  engine: { title: 'This cannot be computed', steps: ['Change what the sentence above names.'] },
  kernel: { title: 'The kernel did not run', steps: ['Mend its source and run it again.'] },
  part: {
    title: 'A part of this page stopped',
    steps: ['Start it again; if that fails, load the page anew.', REPORT],
    retry: 'Start again',
  },
  unknown: { title: 'Something went wrong', steps: [REPORT], retry: 'Try again' },
};

/** What to say of a failure. */
export function adviceOn({ code }: Failure): Advice {
  return ADVICE[code];
}
