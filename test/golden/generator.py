"""Twin of test/reference/generator.ts: the same numbers to the bit, vectorised with numpy."""

import numpy as np

U32 = np.uint32


def _mix(h):
    h = (h ^ (h >> U32(16))) * U32(0x85EBCA6B)
    h = (h ^ (h >> U32(13))) * U32(0xC2B2AE35)
    return h ^ (h >> U32(16))


def bits(seed, index):
    """32 bits for each element of `index` of sequence `seed`."""
    start = _mix(np.array([seed & 0xFFFFFFFF], dtype=U32))
    return _mix(start + np.asarray(index, dtype=U32) * U32(0x9E3779B1))


def unit(seed, index):
    return (bits(seed, index) >> U32(8)).astype(np.float64) / 0x1000000


def _rounded(values):
    return values.astype(np.float32).astype(np.float64)


def uniform(seed, count, low, high):
    return _rounded(low + (high - low) * unit(seed, np.arange(count)))


def signed(seed, count, low, high):
    negative = (bits(seed, np.arange(count)) & U32(1)) == 1
    values = uniform(seed, count, low, high)
    return np.where(negative, -values, values)


def distinct(seed, count, low, high):
    order = np.argsort(bits(seed, np.arange(count)), kind="stable")
    out = np.empty(count)
    out[order] = low + ((high - low) * (np.arange(count) + 0.5)) / count
    return _rounded(out)


def whole(seed, count, low, high):
    return low + np.floor(unit(seed, np.arange(count)) * (high - low + 1))


KINDS = {"uniform": uniform, "signed": signed, "distinct": distinct, "whole": whole}
