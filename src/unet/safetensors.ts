/**
 * The safetensors format: 8 bytes of header length (little-endian u64), a JSON header padded with spaces, then the
 * tensors' bytes with no gap, overlap or trailing byte. Reads and writes on any platform, with no copy where none is needed.
 */
import { ShaderGradError } from '../engine/errors.js';
import { halfValue } from '../engine/half.js';

/** Element types of the format. Half types and 64-bit integers are carried as raw bits. */
export type SafeDtype =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL';

/** What holds a tensor's elements: F16 and BF16 are Uint16Array of bits, BOOL is Uint8Array of 0 and 1. */
export type SafeData =
  | Float64Array
  | Float32Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | Int8Array
  | Uint8Array
  | BigInt64Array
  | BigUint64Array;

/** A tensor of a file: row-major elements, as many as the product of `shape` (1 for a scalar's empty shape). */
export interface SafeTensor {
  readonly dtype: SafeDtype;
  readonly shape: readonly number[];
  readonly data: SafeData;
}

/** A tensor as the header tells it; `begin` and `end` are bytes after the header. */
export interface SafeEntry {
  readonly dtype: SafeDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** What a header holds. `dataStart` is where the tensors' bytes begin in the file. */
export interface SafeHeader {
  readonly metadata: ReadonlyMap<string, string>;
  readonly entries: ReadonlyMap<string, SafeEntry>;
  readonly dataStart: number;
  /** Length that the whole file must have, in bytes. */
  readonly fileBytes: number;
}

/** A decoded file. Tensors come in the order of their bytes. */
export interface SafeFile {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, SafeTensor>;
}

/** Any fault of a safetensors file or of what was to be written into one: one sentence. */
export class SafetensorsError extends ShaderGradError {
  override name = 'SafetensorsError';
}

const MAX_HEADER = 100_000_000;

interface Kind {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, offset: number, length: number): SafeData;
}

const KINDS: Readonly<Record<SafeDtype, Kind>> = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/**
 * The file in pieces: its header, then each tensor's own bytes, not copied. Write them one after another.
 * Tensors go by falling element size, then by name, so that each starts at a multiple of its element size.
 * @throws SafetensorsError when a tensor's data does not have its dtype's bytes for its shape.
 */
export function encodeChunks(
  tensors: ReadonlyMap<string, SafeTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const elementBytes = ({ dtype }: SafeTensor) =>
    Object.hasOwn(KINDS, dtype) ? KINDS[dtype].BYTES_PER_ELEMENT : 0;
  const ordered = [...tensors].sort(
    ([a, x], [b, y]) => elementBytes(y) - elementBytes(x) || (a < b ? -1 : 1),
  );

  const fields: string[] = [];
  if (Object.keys(metadata).length > 0)
    fields.push(`"__metadata__":${JSON.stringify(checkedMetadata(metadata))}`);
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    if (name === '__metadata__')
      throw new SafetensorsError('A tensor cannot be named "__metadata__": the format keeps that name.');
    const expected = expectedBytes(name, dtype, shape);
    if (data.byteLength !== expected) {
      throw new SafetensorsError(
        `Tensor "${name}" has ${data.byteLength} bytes, but ${dtype} of shape [${shape.join(', ')}] takes ${expected}.`,
      );
    }
    const end = offset + expected;
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    chunks.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset = end;
  }

  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  if (json.length > MAX_HEADER)
    throw new SafetensorsError(`The header has ${json.length} bytes; the format allows ${MAX_HEADER}.`);
  const padded = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(8 + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(json, 8);
  return [head, ...chunks];
}

/** The whole file in one array. @throws SafetensorsError as `encodeChunks`. */
export function encode(
  tensors: ReadonlyMap<string, SafeTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const chunks = encodeChunks(tensors, metadata);
  const file = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    file.set(chunk, at);
    at += chunk.length;
  }
  return file;
}

/**
 * Reads a whole file. Tensors are views into `bytes` where alignment allows, copies otherwise.
 * @param source how the file is called in errors
 * @throws SafetensorsError naming the first fault: a cut file, a broken header, offsets that overlap, leave holes or do not fit.
 */
export function decode(bytes: Uint8Array, source = 'The safetensors data'): SafeFile {
  const header = decodeHeader(bytes, source);
  if (bytes.length < header.fileBytes) {
    throw new SafetensorsError(
      `${source} is cut short: its header announces ${header.fileBytes} bytes, it has ${bytes.length}; use an intact copy.`,
    );
  }
  if (bytes.length > header.fileBytes) {
    throw new SafetensorsError(
      `${source} has ${bytes.length - header.fileBytes} bytes after its last tensor, which the format does not allow.`,
    );
  }
  const tensors = new Map<string, SafeTensor>();
  for (const [name, { dtype, shape, begin, end }] of header.entries) {
    tensors.set(name, { dtype, shape, data: view(bytes, dtype, header.dataStart + begin, end - begin) });
  }
  return { metadata: header.metadata, tensors };
}

/**
 * Reads the header alone: `bytes` may be the file's beginning, as long as it holds the whole header
 * (its length is 8 + the u64 at the start). @throws SafetensorsError as `decode`, for the header's own faults.
 */
export function decodeHeader(bytes: Uint8Array, source = 'The safetensors data'): SafeHeader {
  const fail = (why: string): never => {
    throw new SafetensorsError(`${source} ${why}`);
  };
  if (bytes.length < 8)
    fail(`is not a safetensors file: it has ${bytes.length} bytes, the header's length alone takes 8.`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER)) {
    fail(
      `is not a safetensors file: its header would have ${length} bytes, and the format allows ${MAX_HEADER}.`,
    );
  }
  const dataStart = 8 + Number(length);
  if (bytes.length < dataStart) {
    fail(
      `is cut short: its header should end at byte ${dataStart}, the file has ${bytes.length}; use an intact copy.`,
    );
  }
  const json = parseHeader(bytes.subarray(8, dataStart), fail);

  const metadata = new Map<string, string>();
  const entries: [string, SafeEntry][] = [];
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') {
      if (!isRecord(value)) fail('has a "__metadata__" that is not an object.');
      for (const [key, text] of Object.entries(value as object)) {
        metadata.set(
          key,
          typeof text === 'string' ? text : fail(`has metadata "${key}" that is not a string.`),
        );
      }
    } else {
      entries.push([name, entryOf(name, value, fail)]);
    }
  }

  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  let before = '';
  for (const [name, { begin, end }] of entries) {
    if (begin < at) fail(`has tensors "${before}" and "${name}" over the same bytes.`);
    if (begin > at) fail(`has a hole of ${begin - at} bytes before tensor "${name}".`);
    at = end;
    before = name;
  }
  return { metadata, entries: new Map(entries), dataStart, fileBytes: dataStart + at };
}

/** A tensor's elements as f32: F32 is given as it is, F16, BF16 and F64 are converted. @throws SafetensorsError for integers. */
export function toFloat32(tensor: SafeTensor, name = 'tensor'): Float32Array {
  const { data, dtype } = tensor;
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return Float32Array.from(data);
  if (data instanceof Uint16Array && dtype === 'F16') return Float32Array.from(data, halfValue);
  if (data instanceof Uint16Array && dtype === 'BF16') {
    return new Float32Array(Uint32Array.from(data, (bits) => (bits << 16) >>> 0).buffer);
  }
  throw new SafetensorsError(`Tensor "${name}" is ${dtype}, where a floating-point type is needed.`);
}

type Fail = (why: string) => never;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return fail('is not a safetensors file: its header is not JSON.');
  }
  // The format asks for "{" as the very first byte, with no space before it.
  if (!isRecord(json) || bytes[0] !== 0x7b)
    return fail('is not a safetensors file: its header is not a JSON object.');
  return json;
}

function entryOf(name: string, value: unknown, fail: Fail): SafeEntry {
  if (!isRecord(value)) return fail(`describes tensor "${name}" by something that is not an object.`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(KINDS, dtype)) {
    return fail(
      `has tensor "${name}" of type ${JSON.stringify(dtype)}, which is not one of ${Object.keys(KINDS).join(', ')}.`,
    );
  }
  if (!isSizes(shape)) return fail(`has tensor "${name}" with a shape that is not a list of sizes.`);
  if (!isSizes(offsets) || offsets.length !== 2 || (offsets[0] as number) > (offsets[1] as number)) {
    return fail(`has tensor "${name}" with data_offsets that are not [begin, end].`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product, size) => product * size, KINDS[dtype as SafeDtype].BYTES_PER_ELEMENT);
  if (bytes !== end - begin) {
    return fail(
      `gives tensor "${name}" ${end - begin} bytes, but ${dtype} of shape [${shape.join(', ')}] takes ${bytes}.`,
    );
  }
  return { dtype: dtype as SafeDtype, shape, begin, end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function expectedBytes(name: string, dtype: SafeDtype, shape: readonly number[]): number {
  if (!Object.hasOwn(KINDS, dtype))
    throw new SafetensorsError(`Tensor "${name}" is of type ${dtype}, which the format does not have.`);
  if (!isSizes(shape))
    throw new SafetensorsError(
      `Tensor "${name}" has shape [${String(shape)}], which is not a list of sizes.`,
    );
  return shape.reduce((product, size) => product * size, KINDS[dtype].BYTES_PER_ELEMENT);
}

function checkedMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries<unknown>(metadata)) {
    if (typeof value !== 'string')
      throw new SafetensorsError(`Metadata "${key}" is not a string: the format holds only strings.`);
  }
  return metadata;
}

function view(bytes: Uint8Array, dtype: SafeDtype, begin: number, length: number): SafeData {
  const Elements = KINDS[dtype];
  const size = Elements.BYTES_PER_ELEMENT;
  const offset = bytes.byteOffset + begin;
  if (offset % size === 0 && bytes.buffer instanceof ArrayBuffer)
    return new Elements(bytes.buffer, offset, length / size);
  return new Elements(new Uint8Array(bytes.subarray(begin, begin + length)).buffer, 0, length / size);
}
