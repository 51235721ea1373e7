#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""torch_model.py: a wirespeak model in plain PyTorch, written after the page wirespeak-model(5).

It reads the file itself, keeps the parameters under the names of the file, and computes contexts, logits, likelihoods
and the loss; gradients are PyTorch's. It is written to be read, not to be fast. As a program it prints the sizes of a
model and runs a few random flows through it.

Needs Debian's python3-torch (1.13) and python3-numpy.
"""
import json
import math
import struct
import sys
from dataclasses import dataclass
from typing import Optional

import numpy as np
import torch
import torch.nn.functional as F

DTYPES = {"F32": "<f4", "U8": "u1", "U16": "<u2", "U32": "<u4", "I32": "<i4"}


def read_safetensors(path):
    """The metadata and {name: array} of a .safetensors file."""
    with open(path, "rb") as f:
        data = f.read()
    start = 8 + struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:start])
    meta = header.pop("__metadata__", {})
    arrays = {}
    for name, t in header.items():
        first, last = (start + n for n in t["data_offsets"])
        arrays[name] = np.frombuffer(data[first:last], DTYPES[t["dtype"]]).reshape(t["shape"])
    return meta, arrays


@dataclass
class Batch:
    """Ragged flows, one after the other; label -1 is none. Offsets are one longer than what they count."""
    ids: torch.Tensor         # [tokens]
    packet_off: list          # [packets + 1], in tokens
    flow_off: list            # [flows + 1], in packets
    condition: list           # [flows], -1: none
    labels: Optional[list] = None  # [flows][heads]


def norm(x, w):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-6) * w


def recurrent(q, k, v, g):
    """Gated linear attention row by row. q, k [R][H][dk], v [R][H][dv], g [R][H]: the log of the gate."""
    state, out = q.new_zeros(q.shape[1], q.shape[2], v.shape[2]), []
    for t in range(len(q)):
        state = torch.exp(g[t])[:, None, None] * state + k[t][:, :, None] * v[t][:, None, :]
        out.append(torch.einsum("hd,hde->he", q[t], state))
    return torch.stack(out)


def chunked(q, k, v, g, chunk=16):
    """The same, many rows at once."""
    state, out = q.new_zeros(q.shape[1], q.shape[2], v.shape[2]), []
    for t in range(0, len(q), chunk):
        qc, kc, vc = (x[t:t + chunk].transpose(0, 1) for x in (q, k, v))  # [H][rows][...]
        G = g[t:t + chunk].cumsum(0).transpose(0, 1)  # [H][rows]
        rows = G.shape[1]
        below = torch.ones(rows, rows, dtype=torch.bool).tril()
        decay = torch.exp((G[:, :, None] - G[:, None, :]).masked_fill(~below, -math.inf))
        o = torch.exp(G)[:, :, None] * (qc @ state) + (qc @ kc.transpose(1, 2) * decay) @ vc
        last = G[:, -1:]
        state = torch.exp(last)[:, :, None] * state + (torch.exp(last - G)[:, :, None] * kc).transpose(1, 2) @ vc
        out.append(o.transpose(0, 1))
    return torch.cat(out)


class Model:
    """Parameters in `w`, by their names in the file. scan: recurrent or chunked."""

    def __init__(self, path, dtype=torch.float32, scan=recurrent):
        self.meta, arrays = read_safetensors(path)
        if self.meta.get("format") != "wirespeak-model-1":
            raise ValueError(f"{path}: not a wirespeak model")
        self.config = json.loads(self.meta["config"])
        self.heads = json.loads(self.meta["heads"])
        # what begins with "reference." are contexts of known flows, with "forest." trees: no weights
        self.w = {name: torch.tensor(a, dtype=dtype).requires_grad_() for name, a in arrays.items() if not name.startswith(("reference.", "forest."))}
        self.scan = scan

    def linear(self, x, name):
        return x @ self.w[name + ".weight"].T

    def mlp(self, x, layer):
        n = norm(x, self.w[f"{layer}.mlp.norm.weight"])
        u = self.linear(n, f"{layer}.mlp.up")
        h = u / 2 * (1 + torch.tanh(0.7978845608 * (u + 0.044715 * u ** 3)))
        return x + self.linear(h, f"{layer}.mlp.down")

    def attention(self, x, layer):
        """x [rows][C] of one packet."""
        heads, rows = self.config["heads"], len(x)
        qkv = self.linear(norm(x, self.w[f"{layer}.attn.norm.weight"]), f"{layer}.attn.qkv")
        q, k, v = (part.reshape(rows, heads, -1).transpose(0, 1) for part in qkv.chunk(3, dim=1))
        above = torch.ones(rows, rows, dtype=torch.bool).triu(1)
        score = (q @ k.transpose(1, 2) / math.sqrt(q.shape[2])).masked_fill(above, -math.inf)
        o = (torch.softmax(score, -1) @ v).transpose(0, 1).reshape(rows, -1)
        return self.mlp(x + self.linear(o, f"{layer}.attn.out"), layer)

    def text(self, ids, name):
        """For each token of a packet: the n-th text token's is row n of the tensor, others' are 0."""
        is_text = (ids >= self.config.get("text_first", 0)) & (ids < self.config.get("text_first", 0) + self.config.get("text_count", 0))
        if not is_text.any():
            return 0
        return self.w[name][is_text.cumsum(0) - is_text.long()] * is_text[:, None]

    def packet(self, tokens, ids):
        """The vector of a packet from its tokens and their rows of the embedding."""
        x = tokens + self.w["packet.position.weight"][:len(tokens)] + self.text(ids, "packet.text_position.weight")
        for layer in range(self.config["packet_layers"]):
            x = self.attention(x, f"packet.{layer}")
        return norm(x[-1], self.w["packet.norm.weight"])

    def mixer(self, x, layer):
        """x [rows][C] of one flow."""
        c, w, rows = self.config, self.w, len(x)
        H, dk, dv, K = c["flow_heads"], c["flow_dk"], c["flow_dv"], c["conv"]
        n = norm(x, w[f"{layer}.mix.norm.weight"])
        u, z, d = self.linear(n, f"{layer}.mix.in").split([H * (2 * dk + dv), H * dv, H], dim=1)
        before = torch.cat([u.new_zeros(K - 1, u.shape[1]), u])
        conv = w[f"{layer}.mix.conv.weight"]
        s = F.silu(w[f"{layer}.mix.conv.bias"] + sum(conv[j] * before[j:j + rows] for j in range(K)))
        q, k, v = (a.reshape(rows, H, -1) for a in s.split([H * dk, H * dk, H * dv], dim=1))
        g = -F.softplus(d + w[f"{layer}.mix.gate.bias"]) * torch.exp(w[f"{layer}.mix.gate.rate"])
        o = self.scan(q, k, v, g.clamp(min=-20))
        a = norm(o, w[f"{layer}.mix.head_norm.weight"].reshape(H, dv)) * F.silu(z.reshape(rows, H, dv))
        return self.mlp(x + self.linear(a.reshape(rows, -1), f"{layer}.mix.out"), layer)

    def flow(self, packets, condition=-1):
        """Contexts c_0, c_1, ... of a flow [1 + packets][C] from the vectors of its packets."""
        start = self.w["flow.start"]
        if condition >= 0:
            start = start + self.w["flow.condition.weight"][condition]
        x = torch.stack([start] + packets)
        for layer in range(self.config["flow_layers"]):
            x = self.mixer(x, f"flow.{layer}")
        return norm(x, self.w["flow.norm.weight"])

    def output(self, tokens, ids, context):
        """A row for each token of a packet, from the tokens before it and the context before the packet."""
        before = tokens[:-1] + self.text(ids[:-1], "output.text_position.weight")
        x = torch.cat([self.w["output.start"][None], before])
        x = x + self.w["output.position.weight"][:len(x)] + self.linear(context, "output.context")
        for layer in range(self.config["output_layers"]):
            x = self.attention(x, f"output.{layer}")
        return norm(x, self.w["output.norm.weight"])

    def head(self, h, context):
        return self.linear(context, f"head.{h}") + self.w[f"head.{h}.bias"]

    def forward(self, b):
        """Of every flow: its packets, each as its tokens' rows of the embedding and its tokens, and its contexts, one more."""
        rows, flows = self.w["embed.weight"][b.ids], []
        for f, condition in enumerate(b.condition):
            cuts = [slice(b.packet_off[p], b.packet_off[p + 1]) for p in range(b.flow_off[f], b.flow_off[f + 1])]
            packets = [(rows[cut], b.ids[cut]) for cut in cuts]
            flows.append((packets, self.flow([self.packet(*x) for x in packets], condition)))
        return flows

    def next_logits(self, flows):
        """[tokens][V]: row i is for token i, given all before it."""
        rows = [self.output(*x, c) for packets, context in flows for x, c in zip(packets, context)]
        n = torch.cat(rows)
        logits = self.linear(n, "embed")
        if "ranges" not in self.config:
            return logits
        first = self.config["ranges"] + [self.config["vocab"]]
        ranges = torch.log_softmax(self.linear(n, "output.range"), -1)
        inside = logits.split([b - a for a, b in zip(first, first[1:])], 1)  # slices have gradients as large as the whole
        return torch.cat([p + torch.log_softmax(x, -1) for p, x in zip(ranges.split(1, 1), inside)], 1)

    def head_loss(self, flows, labels, weight=None, smoothing=0.0):
        """Mean over labelled pairs of flow and head; weight: {head: a number for each label}."""
        terms = []
        for (_, context), row in zip(flows, labels):
            for h, label in enumerate(row):
                if label < 0:
                    continue
                logits = self.head(h, context[1:])
                target = torch.full((len(logits),), label)
                loss = F.cross_entropy(logits, target, label_smoothing=smoothing)
                terms.append(loss * (weight[h][label] if weight else 1))
        return torch.stack(terms).mean() if terms else self.w["embed.weight"].new_zeros(())


def random_batch(model, flows, seed=1):
    rng, b = np.random.default_rng(seed), Batch([], [0], [0], [])
    for f in range(flows):
        for _ in range(rng.integers(1, 12)):
            b.ids.extend(rng.integers(0, model.config["vocab"], rng.integers(1, 9)))
            b.packet_off.append(len(b.ids))
        b.flow_off.append(len(b.packet_off) - 1)
        b.condition.append(-1)
    b.ids = torch.tensor(np.array(b.ids, dtype=np.int64))
    return b


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print("usage: torch_model.py MODEL.safetensors", file=sys.stderr)
        return 2
    model = Model(sys.argv[1])
    print(model.config)
    for name, w in model.w.items():
        print(f"{name:34} {list(w.shape)}")
    print(sum(w.numel() for w in model.w.values()), "parameters")
    b = random_batch(model, 4)
    with torch.no_grad():
        flows = model.forward(b)
        model.scan = chunked
        apart = max((c - d).abs().max() for (_, c), (_, d) in zip(flows, model.forward(b)))
        print(f"recurrent and chunked contexts of {len(b.ids)} random tokens differ by at most {apart:.1e}")
        for h, head in enumerate(model.heads):
            p = torch.softmax(model.head(h, flows[0][1][-1]) / float(head["temperature"]), -1)
            print(f"head {head['name']}: {head['labels'][p.argmax()]} ({p.max():.2f})")
        if model.config["output_layers"]:
            lm = F.cross_entropy(model.next_logits(flows), b.ids)
            print(f"{lm:.3f} nats a token")
    return 0


if __name__ == "__main__":
    sys.exit(main())
