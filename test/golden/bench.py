"""Writes bench.json: what PyTorch in float64 makes of the bench's tiny U-Net, for bench/suites/check.ts and its test.

    python3 test/golden/bench.py

Weights and batch are those of bench/peers/net.ts: the same counter-based generator, in the same order.
"""
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
DEPTH, BASE, SIZE, BATCH, LR, MOMENTUM, STEPS = 3, 4, 32, 2, 0.05, 0.9, 6
MASK = np.uint64(0xFFFFFFFF)


def uniform(seed, index):
    h = ((np.asarray(index, dtype=np.uint64) + 1) * np.uint64(0x9E3779B1)) & MASK
    h ^= np.uint64(((seed + 1) * 0x85EBCA6B) & 0xFFFFFFFF)
    h = ((h ^ (h >> np.uint64(16))) * np.uint64(0x85EBCA6B)) & MASK
    h = ((h ^ (h >> np.uint64(13))) * np.uint64(0xC2B2AE35)) & MASK
    h ^= h >> np.uint64(16)
    return (h >> np.uint64(8)).astype(np.float64) / 2**24


def make_parameters():
    parameters, index = {}, 0

    def draw(name, shape, bound):
        nonlocal index
        count = int(np.prod(shape))
        values = (2 * uniform(1, np.arange(index, index + count)) - 1) * bound
        index += count
        values = values.astype(np.float32).astype(np.float64).reshape(shape)
        parameters[name] = torch.tensor(values, requires_grad=True)

    def layer(name, shape, out):
        bound = 1 / math.sqrt(shape[1] * shape[2] * shape[3])
        draw(name + ".weight", shape, bound)
        draw(name + ".bias", (out,), bound)

    channels = 3
    for level in range(DEPTH):
        wide = BASE * 2**level
        layer(f"down.{level}.conv1", (wide, channels, 3, 3), wide)
        layer(f"down.{level}.conv2", (wide, wide, 3, 3), wide)
        channels = wide
    for level in reversed(range(DEPTH - 1)):
        wide = BASE * 2**level
        layer(f"up.{level}.up", (channels, wide, 2, 2), wide)
        layer(f"up.{level}.conv1", (wide, 2 * wide, 3, 3), wide)
        layer(f"up.{level}.conv2", (wide, wide, 3, 3), wide)
        channels = wide
    layer("last", (1, channels, 1, 1), 1)
    return parameters


def make_batch():
    image, mask = np.zeros((BATCH, 3, SIZE, SIZE)), np.zeros((BATCH, 1, SIZE, SIZE))
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    for n in range(BATCH):
        u = uniform(2, [3 * n, 3 * n + 1, 3 * n + 2])
        inside = np.hypot(y - SIZE * (0.3 + 0.4 * u[0]), x - SIZE * (0.3 + 0.4 * u[1])) < SIZE * (0.1 + 0.1 * u[2])
        mask[n, 0] = inside
        for c in range(3):
            at = (n * 3 + c) * SIZE * SIZE + np.arange(SIZE * SIZE)
            image[n, c] = 0.6 * uniform(3, at).reshape(SIZE, SIZE) + 0.4 * inside
    return torch.tensor(image.astype(np.float32).astype(np.float64)), torch.tensor(mask)


def forward(p, x):
    def conv(name, x, pad):
        return F.conv2d(x, p[name + ".weight"], p[name + ".bias"], padding=pad)

    def block(name, x):
        return F.relu(conv(name + ".conv2", F.relu(conv(name + ".conv1", x, 1)), 1))

    skips = []
    for level in range(DEPTH):
        x = block(f"down.{level}", F.max_pool2d(x, 2) if level else x)
        skips.append(x)
    for level in reversed(range(DEPTH - 1)):
        name = f"up.{level}.up"
        up = F.conv_transpose2d(x, p[name + ".weight"], p[name + ".bias"], stride=2)
        x = block(f"up.{level}", torch.cat([up, skips[level]], 1))
    return torch.sigmoid(conv("last", x, 0))


def main():
    parameters = make_parameters()
    image, mask = make_batch()
    optimizer = torch.optim.SGD(parameters.values(), lr=LR, momentum=MOMENTUM)
    with torch.no_grad():
        mean = forward(parameters, image).mean().item()
    losses = []
    for _ in range(STEPS):
        p = forward(parameters, image)
        dice = 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
        loss = 0.7 * F.binary_cross_entropy(p, mask) + 0.3 * dice
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    weights = sum(value.abs().sum().item() for value in parameters.values())
    result = {"torch": torch.__version__, "lr": LR, "momentum": MOMENTUM, "meanProbability": mean, "losses": losses, "weights": weights}
    with open(os.path.join(os.path.dirname(__file__), "bench.json"), "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


main()
