#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py [MODEL DUMP]...: contrib/torch_model.py in float64 against what parity_dump wrote of the library.

The difference of two arrays is the largest difference of two elements over the largest element. For each model a TAP
line with the greatest differences; exit 1 when one is above its tolerance.
"""
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contrib"))
import torch_model as tm  # noqa: E402

TOLERANCE = {
    "f32": {"context": 1e-4, "logits": 1e-4, "nll": 1e-4, "loss": 1e-5, "gradient": 1e-3, "scan": 1e-9},
    "bf16": {"context": 3e-2, "logits": 5e-2, "nll": 2e-2, "loss": 3e-3, "gradient": 1.5e-1, "scan": 1e-9},
}


class Worst:
    """The greatest difference of each kind, and of what."""

    def __init__(self, dtype):
        self.seen, self.tolerance = {}, TOLERANCE[dtype]

    def add(self, kind, name, ours, theirs):
        ours, theirs = (np.asarray(a.detach() if torch.is_tensor(a) else a, dtype=float) for a in (ours, theirs))
        if ours.shape != theirs.shape:
            sys.exit(f"compare.py: {name} has the shape {ours.shape}, the library's {theirs.shape}")
        size = np.abs(theirs).max()
        if not size > 0:
            sys.exit(f"compare.py: the library's {name} is zero everywhere")
        d = np.abs(ours - theirs).max() / size
        if not d <= self.seen.get(kind, (-1,))[0]:  # what is not a number is worst
            self.seen[kind] = (d, name)

    def __str__(self):
        return ", ".join(f"{kind} {d:.1e} ({name})" for kind, (d, name) in self.seen.items())

    def tolerable(self):
        return all(d <= self.tolerance[kind] for kind, (d, _) in self.seen.items())


def batch_of(a):
    b = tm.Batch(torch.tensor(a["batch.ids"].astype(np.int64)), a["batch.packet_off"].tolist(), a["batch.flow_off"].tolist(),
                 a["batch.condition"].tolist())
    b.labels = a["batch.labels"].tolist() if "batch.labels" in a else [[]] * len(b.condition)
    return b


def outputs(model, meta, a, b, worst):
    """Everything but gradients is compared here. Returns the loss, and the contexts after packets."""
    flows = model.forward(b)
    rows = torch.cat([c[1:] for _, c in flows])
    worst.add("context", "context", rows, a["context"])
    worst.add("context", "start", torch.stack([c[0] for _, c in flows]), a["start"])
    for h in range(len(model.heads)):
        worst.add("logits", f"head.{h}", model.head(h, rows), a[f"head.{h}"])
    loss = 0
    if model.config["output_layers"]:
        logits = model.next_logits(flows)
        nll = torch.nn.functional.cross_entropy(logits, b.ids, reduction="none")
        theirs = torch.tensor(a["next"].astype(float))
        if "ranges" in model.config:  # what is the same for all tokens is left out there
            theirs = torch.log_softmax(theirs, -1)
        worst.add("logits", "next", logits[np.array(b.packet_off[1:]) - 1], theirs)
        worst.add("nll", "nll", nll, a["nll"])
        worst.add("loss", "lm", nll.mean(), float(meta["lm"]))
        loss = loss + float(meta["lm_weight"]) * nll.mean()
    if model.heads:
        weight = {h: a[f"label_weight.{h}"] for h in range(len(model.heads))}
        head = model.head_loss(flows, b.labels, weight, float(meta["label_smoothing"]))
        worst.add("loss", "head", head, float(meta["head"]))
        loss = loss + float(meta["head_weight"]) * head
    worst.add("loss", "loss", loss, float(meta["loss"]))
    return loss, rows


def gradients(model, a, worst):
    names = {name[5:] for name in a if name.startswith("grad.")}
    if names != set(model.w):
        sys.exit(f"compare.py: gradients and parameters differ in {sorted(names ^ set(model.w))}")
    for name, w in model.w.items():
        worst.add("gradient", name, w.grad, a["grad." + name])


def compare(path, dump, scans):
    """Outputs, loss and gradients with each of `scans` against the library's; contexts of both scans against each other."""
    meta, a = tm.read_safetensors(dump)
    b, worst = batch_of(a), Worst(meta["dtype"])
    for scan in scans:
        model = tm.Model(path, torch.float64, scan)
        loss, rows = outputs(model, meta, a, b, worst)
        loss.backward()
        gradients(model, a, worst)
    with torch.no_grad():
        model.scan = tm.chunked
        worst.add("scan", "chunked", torch.cat([c[1:] for _, c in model.forward(b)]), rows)
    return worst, f"{len(b.ids)} tokens, {meta['dtype']}"


def main():
    pairs = list(zip(sys.argv[1::2], sys.argv[2::2]))
    if not pairs or len(sys.argv) % 2 == 0:
        sys.exit("usage: compare.py [MODEL DUMP]...")
    torch.set_num_threads(1)
    good = 0
    for i, (path, dump) in enumerate(pairs):
        worst, what = compare(path, dump, (tm.chunked, tm.recurrent) if i == 0 else (tm.recurrent,))
        good += worst.tolerable()
        print(f"{'ok' if worst.tolerable() else 'not ok'} {i + 1} - {os.path.basename(path)}, {what}: {worst}")
    sys.exit(0 if good == len(pairs) else 1)


if __name__ == "__main__":
    main()
