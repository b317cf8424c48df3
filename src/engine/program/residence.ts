import type { Device } from '../device.js';
import { fail, shapeText } from '../errors.js';
import { getOrMake } from '../getOrMake.js';
import { byteLength } from '../kernel.js';
import { homeOf, type StateBuffer } from '../state.js';
import type { Parameter } from '../tensor.js';
import { bufferUsage, mapRead } from './usage.js';

interface Resident {
  readonly device: Device;
  readonly buffer: GPUBuffer;
  /** True once a program has written there: the GPU's copy alone is right. */
  changed: boolean;
  /** Given new values since the device was closed. */
  readonly restored: Set<Parameter>;
}

const residents = new WeakMap<StateBuffer, Resident>();

/** Where the parameters of `state` are; throws where they were lost with a device that was closed. */
function residentOf(state: StateBuffer): Resident | undefined {
  const resident = residents.get(state);
  if (!resident?.device.closed) return resident;
  if (resident.changed) {
    fail(`These parameters were changed on ${resident.device.name}, which is closed; load saved ones.`);
  }
  return undefined;
}

/** Says that a program writes the parameters of `state` on the GPU. */
export function markChanged(state: StateBuffer): void {
  const resident = residents.get(state);
  if (resident) resident.changed = true;
}

/** The GPU buffer of a flat buffer of parameters; made and filled with their initial values at first use. */
export function stateOnDevice(device: Device, state: StateBuffer): GPUBuffer {
  const resident = residentOf(state);
  if (resident) {
    if (resident.device !== device) {
      fail(
        `The parameters of this model live on ${resident.device.name}; make the model anew for another device.`,
      );
    }
    return resident.buffer;
  }
  const buffer = device.gpu.createBuffer({
    label: 'state',
    size: state.bytes,
    usage: bufferUsage.STORAGE | bufferUsage.COPY_SRC | bufferUsage.COPY_DST,
  });
  for (const parameter of state.parameters) {
    if (parameter.initial) {
      device.gpu.queue.writeBuffer(
        buffer,
        homeOf(parameter)?.byteOffset ?? 0,
        parameter.initial as Float32Array<ArrayBuffer>,
      );
    }
  }
  residents.set(state, { device, buffer, changed: false, restored: new Set() });
  return buffer;
}

/** The GPU's copy of each parameter, or its initial value (zeros where it has none) where no program has used it. */
export async function readParameters(parameters: readonly Parameter[]): Promise<Float32Array[]> {
  const whole = new Map<StateBuffer, Promise<ArrayBuffer>>();
  return Promise.all(
    parameters.map(async (parameter) => {
      const home = homeOf(parameter);
      const resident = home && residentOf(home.buffer);
      if (!home || !resident) return parameter.initial?.slice() ?? new Float32Array(parameter.size);
      const data = await getOrMake(whole, home.buffer, () =>
        mapRead(resident.device, resident.buffer, home.buffer.bytes),
      );
      return new Float32Array(data, home.byteOffset, parameter.size).slice();
    }),
  );
}

/** Sets a parameter, on the GPU too where it already lives there. Programs submitted before are not affected. */
export function writeParameter(parameter: Parameter, values: Float32Array): void {
  if (values.byteLength !== byteLength(parameter.shape, parameter.dtype)) {
    fail(`${parameter.name}: ${values.length} values do not fill ${shapeText(parameter.shape)}.`);
  }
  parameter.initial = values;
  const home = homeOf(parameter);
  const resident = home && residents.get(home.buffer);
  if (!home || !resident) return;
  if (resident.device.closed) {
    // Once all that were lost have new values, nothing is missed.
    resident.restored.add(parameter);
    if (resident.restored.size === home.buffer.parameters.length) residents.delete(home.buffer);
    return;
  }
  resident.device.gpu.queue.writeBuffer(
    resident.buffer,
    home.byteOffset,
    values as Float32Array<ArrayBuffer>,
  );
}
