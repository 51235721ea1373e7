#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""torch_peer.py: tokens a second of a model in PyTorch, to be set beside the engine's on the same batch.

usage: torch_peer.py [--threads N] [--dtype f32|bf16] [--seconds S] [--variant tuned|processes|as-found|plain|plain-processes]...
                     MODEL TOKENS.npz
       torch_peer.py --check [--variant V]... MODEL TOKENS.npz

The batch is all flows of a token file (wirespeak-tokens-file(5)), packets cut to what the model reads. A training step is
forward, next-token loss (if the model has an output stack) and heads' loss, backward, clipping and AdamW; inference is
contexts and heads' logits after every packet, as `classify` needs them. One line a row, tab-separated:

    torch   VARIANT   train|infer   THREADS   DTYPE   TOKENS/S

PyTorch as good as we can make it (torch_fast.py), the same code for three variants: packets packed into blocks without padding, attention
with a mask of blocks, the scan of flows in chunks, the last packet layer for each packet's last row alone, the loss in
parts with its gradient formed at once, weights cast once a step, norms with a gradient of their own. Variants are of the
environment: "as-found" leaves it alone; "tuned" is one process with one OpenMP pool (OpenBLAS for OpenMP, with AVX-512
where there is), wider kernels of PyTorch, threads that do not spin long and an allocator that keeps its memory; "processes" is that with
one process a thread, which share the flows (training sums the gradients over gloo).

"plain" and "plain-processes" are the model as a careful user writes it (torch_plain.py) in the environments of "tuned" and "processes": flows of like length
in batches with padding, all gradients by autograd, bfloat16 by autocast, AdamW and clipping of PyTorch. A step is over the same flows.

Before it measures, it compares loss, gradients and logits with those of contrib/torch_model.py on the first flows; --check does
nothing else, for both models if no variant is named. Conditions are not given: they cost nothing.
Needs Debian's python3-torch and python3-numpy; better with libopenblas0-openmp and libjemalloc2.
"""
import argparse
import importlib
import importlib.util
import os
import statistics
import subprocess
import sys
import time

import torch_env

VARIANTS = {  # the code, whether the environment is tuned, whether every thread is a process
    "tuned": ("torch_fast", True, False),
    "processes": ("torch_fast", True, True),
    "as-found": ("torch_fast", False, False),
    "plain": ("torch_plain", True, False),
    "plain-processes": ("torch_plain", True, True),
}
THREADS_OF_CORES = os.cpu_count() or 1


def children(options):
    """A process, or several, for each variant."""
    if not all(importlib.util.find_spec(name) for name in ("torch", "numpy")):
        print("torch_peer.py: python3-torch is not installed", file=sys.stderr)
        return 77
    status = 0
    for variant in options.variant or (("as-found", "plain") if options.check else VARIANTS):
        _, tuned, processes = VARIANTS[variant]
        if processes and options.threads == 1:
            continue  # that is one process
        count, threads = (options.threads, 1) if processes else (1, options.threads)
        env = dict(os.environ) | {"PEER_WORLD": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(options.port)}
        if tuned:
            env |= torch_env.tuned(threads, options.blas)
        command = [sys.executable, os.path.abspath(__file__), "--child", "--variant", variant, "--threads", str(options.threads),
                   "--dtype", options.dtype, "--seconds", str(options.seconds)] + ["--check"] * options.check + [options.model, options.tokens]
        running = [subprocess.Popen(command, env=env | {"PEER_RANK": str(rank)}) for rank in range(count)]
        status = max([status] + [p.wait() for p in running])
    return status


def arguments():
    p = argparse.ArgumentParser(description="tokens a second of a model in PyTorch")
    p.add_argument("--threads", type=int, default=THREADS_OF_CORES)
    p.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    p.add_argument("--seconds", type=float, default=5, help="of each measurement")
    p.add_argument("--variant", choices=VARIANTS, action="append", help="may be repeated; all of them when absent")
    p.add_argument("--blas", default=torch_env.BLAS, help="folder of a libblas.so.3")
    p.add_argument("--port", type=int, default=29517, help="on which processes find each other")
    p.add_argument("--check", action="store_true", help="compare with the plain model and do nothing else")
    p.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    p.add_argument("model")
    p.add_argument("tokens")
    return p.parse_args()


if __name__ == "__main__":
    OPTIONS = arguments()
    if not OPTIONS.child:
        sys.exit(children(OPTIONS))

import numpy as np  # noqa: E402: the environment of a child is made before these are loaded
import torch  # noqa: E402
import torch.distributed as distributed  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "contrib")]
import torch_model  # noqa: E402

RANK, WORLD = int(os.environ["PEER_RANK"]), int(os.environ["PEER_WORLD"])


class Flows:
    """All flows of a token file, packets cut to max_tokens; a flow's label is its number modulo the labels of a head."""

    def __init__(self, path, plain):
        try:
            with np.load(path) as t:
                ids, packet_off, self.flow_off = (t[n].astype(np.int64) for n in ("ids", "packet_off", "flow_off"))
        except (OSError, ValueError, KeyError) as e:
            sys.exit(f"torch_peer.py: {path}: {e}")
        length = np.minimum(np.diff(packet_off), plain.config["max_tokens"])
        self.packet_off = np.concatenate([[0], np.cumsum(length)])
        self.ids = ids[np.repeat(packet_off[:-1] - self.packet_off[:-1], length) + np.arange(length.sum())]
        if self.ids.max() >= plain.config["vocab"]:
            sys.exit(f"torch_peer.py: {path}: token {self.ids.max()}, the model knows {plain.config['vocab']}")
        self.text = plain.config.get("text_first", 0), plain.config.get("text_count", 0)
        number = np.arange(len(self.flow_off) - 1)
        self.labels = np.stack([number % len(h["labels"]) for h in plain.heads], 1) if plain.heads else np.zeros((len(number), 0))

    def ragged(self, f0, f1):
        """Flows [f0, f1) as the two models take them."""
        p0, p1 = self.flow_off[f0], self.flow_off[f1]
        t0, t1 = self.packet_off[p0], self.packet_off[p1]
        return self.ids[t0:t1], self.packet_off[p0:p1 + 1] - t0, self.flow_off[f0:f1 + 1] - p0, self.labels[f0:f1], self.text

    def parts(self, world):
        """Borders of `world` runs of flows with about equal numbers of tokens."""
        at = self.packet_off[self.flow_off]
        return np.searchsorted(at, at[-1] * np.arange(world) // world).tolist() + [len(self.flow_off) - 1]

    def plain(self, f1):
        """The first flows for torch_model."""
        p1 = self.flow_off[f1]
        b = torch_model.Batch(torch.tensor(self.ids[:self.packet_off[p1]]), self.packet_off[:p1 + 1].tolist(),
                              self.flow_off[:f1 + 1].tolist(), [-1] * f1)
        b.labels = self.labels[:f1].astype(int).tolist()
        return b


def largest(difference, of):
    return float(difference.abs().max() / of.abs().max().clamp(min=1e-9))


def check(code, plain, flows):
    """Loss, gradients and logits of torch_fast or torch_plain against the readable model's."""
    f1 = max(1, int(np.searchsorted(flows.packet_off[flows.flow_off], 400)) - 1)
    b = flows.plain(f1)
    rows = plain.forward(b)
    loss = plain.head_loss(rows, b.labels)
    if plain.config["output_layers"]:
        loss = loss + torch.nn.functional.cross_entropy(plain.next_logits(rows), b.ids)
    loss.backward()
    wanted = {n: w.grad for n, w in plain.w.items()}
    for w in plain.w.values():
        w.grad = None
    name, model = code.__name__, code.Model(plain, torch.float32)
    total, context = 0, torch.cat([c[1:] for _, c in rows]).detach()
    apart = {}
    for part in code.batches(*flows.ragged(0, f1), size=2):
        share = model.loss(part)
        share.backward()
        total += float(share)
        for h, logits in enumerate(model.infer(part)[1]):
            want = plain.head(h, context[part.packets]).detach()
            apart[f"logits of head {h}"] = max(apart.get(f"logits of head {h}", 0), largest(logits.detach() - want, want))
    apart["loss"] = float((total - loss).abs() / loss)
    for n, w in plain.w.items():
        if wanted[n] is not None:
            apart[n] = largest(w.grad - wanted[n], wanted[n])
        w.grad = None
    worst = max(apart, key=apart.get)
    if not apart[worst] < 1e-3:
        sys.exit(f"torch_peer.py: {name} is not the readable model: {worst} differs by {apart[worst]:.1e}")
    return f"{name}, {f1} flows of {len(b.ids)} tokens: loss, gradients and logits of the readable model ({worst} differs by {apart[worst]:.1e})"


def measure(step, seconds):
    """Median seconds of a step, after one that does not count. All processes take the same number of steps."""
    step()
    start = time.perf_counter()
    step()
    count = agree(max(3, seconds / (time.perf_counter() - start)), min)
    took = []
    for _ in range(int(count)):
        start = time.perf_counter()
        step()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def agree(number, choose):
    """The number of one process, the same in all of them."""
    if WORLD == 1:
        return number
    numbers = [torch.zeros((), dtype=torch.float64) for _ in range(WORLD)]
    distributed.all_gather(numbers, torch.tensor(float(number), dtype=torch.float64))
    return choose(float(n) for n in numbers)


def sum_gradients(model):
    grads = [w.grad for w in model.w.values() if w.grad is not None]
    flat = torch.cat([g.flatten() for g in grads])
    distributed.all_reduce(flat)
    for g, part in zip(grads, (flat / WORLD).split([g.numel() for g in grads])):
        g.copy_(part.view_as(g))


def child(o):
    variant = o.variant[0]
    code, _, processes = VARIANTS[variant]
    code = importlib.import_module(code)
    torch.set_num_threads(1 if processes else o.threads)
    if WORLD > 1:
        distributed.init_process_group("gloo", rank=RANK, world_size=WORLD)
    plain = torch_model.Model(o.model)
    flows = Flows(o.tokens, plain)
    checked = check(code, plain, flows)
    if o.check:
        print(checked)
        return
    model = code.Model(plain, torch.bfloat16 if o.dtype == "bf16" else torch.float32)
    optimiser = code.Optimiser(model)
    borders = flows.parts(WORLD)
    batches = code.batches(*flows.ragged(borders[RANK], borders[RANK + 1]))
    n_tokens = sum(b.n_tokens for b in batches)

    def train():
        for b in batches:
            model.loss(b).backward()
        if WORLD > 1:
            sum_gradients(model)
        optimiser.step()

    def infer():
        for b in batches:
            model.infer(b)

    def row(what, step):
        speed = agree(n_tokens / measure(step, o.seconds), sum)
        if RANK == 0:
            print("torch", variant, what, o.threads, o.dtype, round(speed), sep="\t", flush=True)

    row("train", train)
    with torch.no_grad():
        model.weights()
    row("infer", infer)


if __name__ == "__main__":
    child(OPTIONS)
