"""Writes optim.json: one-cycle schedules and a few steps of each optimiser, as PyTorch computes them in float64.

    python3 test/golden/optim.py
"""

import json
from pathlib import Path

import numpy as np
import torch

from generator import uniform

HERE = Path(__file__).parent
CYCLE = {"max_lr": 0.1, "pct_start": 0.3, "base_momentum": 0.85, "max_momentum": 0.95}

SCHEDULES = [
    {"total": 14900, **CYCLE},
    {"total": 30, **CYCLE},
    {"total": 7, **CYCLE},
    {"total": 101, **CYCLE, "max_lr": 0.01, "pct_start": 0.25, "div_factor": 10.0, "final_div_factor": 100.0},
]

OPTIMISERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05, "nesterov": True}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "betas": [0.8, 0.95], "eps": 1e-6, "weight_decay": 0.05}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.05}),
]

SIZE, STEPS = 11, 6


def schedule(total, **options):
    sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    cycle = torch.optim.lr_scheduler.OneCycleLR(sgd, total_steps=total, **options)
    wanted = {*range(min(total, 30)), total - 1, *np.linspace(0, total - 1, 41).astype(int).tolist()}
    up = int(options["pct_start"] * total - 1)
    wanted |= {up - 1, up, up + 1} | ({745, 2235, 4469, 7450, 11175, 14155} if total > 14155 else set())
    values = []
    for t in range(total):
        if t in wanted:
            group = sgd.param_groups[0]
            values.append([t, group["lr"], group["momentum"]])
        sgd.step()
        if t + 1 < total:
            cycle.step()
    return {"total": total, **options, "values": values}


def optimise(index, name, options):
    """Gradients are given, not computed: step s takes sequence 100 * index + s + 1."""
    p = torch.from_numpy(uniform(100 * index, SIZE, -1, 1)).requires_grad_(True)
    optimiser = getattr(torch.optim, name)([p], **options)
    after = []
    for step in range(STEPS):
        p.grad = torch.from_numpy(uniform(100 * index + step + 1, SIZE, -1, 1))
        optimiser.step()
        after.append(p.detach().tolist())
    return {"name": name, "options": options, "seed": 100 * index, "size": SIZE, "after": after}


def main():
    result = {
        "torch": torch.__version__,
        "schedules": [schedule(**options) for options in SCHEDULES],
        "optimisers": [optimise(i + 1, name, options) for i, (name, options) in enumerate(OPTIMISERS)],
    }
    (HERE / "optim.json").write_text(json.dumps(result) + "\n")
    for t, lr, momentum in result["schedules"][0]["values"]:
        if t in (0, 745, 2235, 4469, 7450, 11175, 14155, 14899):
            print(t, f"{lr:.8g}", f"{momentum:.8g}")


if __name__ == "__main__":
    main()
