import { type NetConfig, netLayers, type Weights } from './net.js';

/** Writes the U-Net as an ONNX model (opset 17), for the peer that reads nothing else. Input `image`, output `p`. */
export function unetToOnnx(net: NetConfig, weights: Weights): Uint8Array {
  const nodes: Uint8Array[] = [];
  const initializers: Uint8Array[] = [];
  let count = 0;
  const node = (
    op: string,
    inputs: string[],
    attributes: Record<string, number | number[]>,
    output?: string,
  ): string => {
    const to = output ?? `t${count++}`;
    const fields = [...inputs.map((input) => text(1, input)), text(2, to), text(4, op)];
    for (const [name, value] of Object.entries(attributes)) fields.push(message(5, [attribute(name, value)]));
    nodes.push(message(1, fields));
    return to;
  };
  for (const { name, shape, outChannels } of netLayers(net)) {
    initializers.push(message(5, [tensor(`${name}.weight`, shape, weights)]));
    initializers.push(message(5, [tensor(`${name}.bias`, [outChannels], weights)]));
  }
  const conv = (name: string, x: string, pad: number): string =>
    node('Conv', [x, `${name}.weight`, `${name}.bias`], { pads: [pad, pad, pad, pad] });
  const block = (name: string, x: string): string => {
    const y = node('Relu', [conv(`${name}.conv1`, x, 1)], {});
    return node('Relu', [conv(`${name}.conv2`, y, 1)], {});
  };
  const skips: string[] = [];
  let x = 'image';
  for (let level = 0; level < net.depth; level++) {
    if (level > 0) x = node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
    x = block(`down.${level}`, x);
    skips.push(x);
  }
  for (let level = net.depth - 2; level >= 0; level--) {
    const name = `up.${level}.up`;
    const up = node('ConvTranspose', [x, `${name}.weight`, `${name}.bias`], { strides: [2, 2] });
    x = block(`up.${level}`, node('Concat', [up, skips[level] as string], { axis: 1 }));
  }
  node('Sigmoid', [conv('last', x, 0)], {}, 'p');

  const { batch, inChannels, outChannels, height, width } = net;
  const graph = [
    ...nodes,
    text(2, 'unet'),
    ...initializers,
    message(11, [valueInfo('image', [batch, inChannels, height, width])]),
    message(12, [valueInfo('p', [batch, outChannels, height, width])]),
  ];
  return concat([integer(1, 8), message(7, graph), message(8, [integer(2, 17)])]);
}

// Protocol buffers: a field is its number and wire type, then a varint (0) or a length and that many bytes (2).
const FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

function attribute(name: string, value: number | number[]): Uint8Array {
  return Array.isArray(value)
    ? concat([text(1, name), ...value.map((v) => integer(8, v)), integer(20, ATTRIBUTE_INTS)])
    : concat([text(1, name), integer(3, value), integer(20, ATTRIBUTE_INT)]);
}

function tensor(name: string, shape: readonly number[], weights: Weights): Uint8Array {
  const data = weights.get(name);
  if (!data) throw new Error(`There are no weights for ${name}.`);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return concat([
    ...shape.map((size) => integer(1, size)),
    integer(2, FLOAT),
    text(8, name),
    message(9, [bytes]),
  ]);
}

function valueInfo(name: string, shape: readonly number[]): Uint8Array {
  const dimensions = shape.map((size) => message(1, [integer(1, size)]));
  return concat([text(1, name), message(2, [message(1, [integer(1, FLOAT), message(2, dimensions)])])]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}

function integer(field: number, value: number): Uint8Array {
  return concat([varint(field * 8), varint(value)]);
}

function message(field: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts);
  return concat([varint(field * 8 + 2), varint(body.length), body]);
}

function text(field: number, value: string): Uint8Array {
  return message(field, [new TextEncoder().encode(value)]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
