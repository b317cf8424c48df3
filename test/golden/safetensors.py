"""Reads or writes a safetensors file with nothing but struct, json and numpy, as a second opinion on src/unet/safetensors.ts.

    python3 test/golden/safetensors.py --write FILE   a small file laid out by hand, byte by byte
    python3 test/golden/safetensors.py --read FILE    its metadata and tensors as JSON
"""
import json
import struct
import sys

import numpy as np

TYPES = {'F64': '<f8', 'F32': '<f4', 'F16': '<f2', 'I64': '<i8', 'I32': '<i4', 'I16': '<i2', 'I8': 'i1',
         'U64': '<u8', 'U32': '<u4', 'U16': '<u2', 'U8': 'u1', 'BOOL': '?'}


def read(path):
    raw = open(path, 'rb').read()
    (size,) = struct.unpack('<Q', raw[:8])
    header = json.loads(raw[8:8 + size])
    metadata = header.pop('__metadata__', {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry['data_offsets']
        array = np.frombuffer(raw[8 + size + begin:8 + size + end], dtype=TYPES[entry['dtype']])
        tensors[name] = {'dtype': entry['dtype'], 'shape': entry['shape'],
                         'values': array.reshape(entry['shape']).tolist(), 'aligned': (8 + size + begin) % array.itemsize == 0}
    return {'headerAligned': size % 8 == 0, 'metadata': metadata, 'tensors': tensors}


def write(path):
    header = (b'{"__metadata__":{"model":"hand"},'
              b'"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},'
              b'"b":{"dtype":"F16","shape":[3],"data_offsets":[16,22]},'
              b'"c":{"dtype":"U8","shape":[],"data_offsets":[22,23]}}')
    header += b' ' * (-len(header) % 8)
    data = struct.pack('<4f', 1.5, -2.25, 3e-38, 65504.0) + struct.pack('<3e', 0.5, -65504.0, 2.0 ** -24) + bytes([7])
    open(path, 'wb').write(struct.pack('<Q', len(header)) + header + data)


if sys.argv[1] == '--write':
    write(sys.argv[2])
else:
    print(json.dumps(read(sys.argv[2])))
