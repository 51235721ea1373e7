#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""torch_padded.py: a wirespeak model as it is written in PyTorch without a thought of its speed: flows and packets padded to the longest.

Every flow of a batch has as many packets as the longest one, and every packet as many tokens, of which masks hide what is not
there. The scan of the flow stack goes row by row. Answers are those of contrib/torch_model.py.
"""
import math

import torch
import torch.nn.functional as F
import torch_model
from torch_model import norm


def pad(flows):
    """ids [flows][packets][tokens], tokens of each packet [flows][packets], packets of each flow [flows]."""
    packets, tokens = max(map(len, flows)), max(len(p) for f in flows for p in f)
    padded = [f + [[0]] * (packets - len(f)) for f in flows]  # packets that are not there have one token, which nobody reads
    ids = torch.tensor([[p + [0] * (tokens - len(p)) for p in f] for f in padded])
    return ids, torch.tensor([[len(p) for p in f] for f in padded]), torch.tensor([len(f) for f in flows])


class Model(torch_model.Model):
    def attention(self, x, layer):
        """x [packets][tokens][C]. A token sees those before it, so none sees the padding behind."""
        n, rows, channels = x.shape
        qkv = self.linear(norm(x, self.w[f"{layer}.attn.norm.weight"]), f"{layer}.attn.qkv")
        q, k, v = (part.reshape(n, rows, self.config["heads"], -1).transpose(1, 2) for part in qkv.chunk(3, dim=2))
        above = torch.ones(rows, rows, dtype=torch.bool).triu(1)
        score = (q @ k.transpose(2, 3) / math.sqrt(q.shape[3])).masked_fill(above, -math.inf)
        o = (torch.softmax(score, -1) @ v).transpose(1, 2).reshape(n, rows, channels)
        return self.mlp(x + self.linear(o, f"{layer}.attn.out"), layer)

    def text(self, ids, name):
        """The same of ids [packets][tokens]."""
        first, count = self.config.get("text_first", 0), self.config.get("text_count", 0)
        if not count:
            return 0
        is_text = (ids >= first) & (ids < first + count)
        place = (is_text.cumsum(1) - is_text.long()).clamp(max=len(self.w[name]) - 1)
        return F.embedding(place, self.w[name]) * is_text[..., None]

    def packets(self, ids, length):
        """[packets][C] from ids [packets][tokens]."""
        x = F.embedding(ids, self.w["embed.weight"]) + self.w["packet.position.weight"][:ids.shape[1]] + self.text(ids, "packet.text_position.weight")
        for layer in range(self.config["packet_layers"]):
            x = self.attention(x, f"packet.{layer}")
        return norm(x[torch.arange(len(x)), length - 1], self.w["packet.norm.weight"])

    def batch_scan(self, q, k, v, g):
        """q, k [flows][rows][H][dk], v [flows][rows][H][dv], g [flows][rows][H]"""
        state, out = q.new_zeros(len(q), *q.shape[2:], v.shape[3]), []
        for t in range(q.shape[1]):
            state = torch.exp(g[:, t])[..., None, None] * state + k[:, t, :, :, None] * v[:, t, :, None, :]
            out.append(torch.einsum("fhd,fhde->fhe", q[:, t], state))
        return torch.stack(out, 1)

    def mixer(self, x, layer):
        """x [flows][rows][C]."""
        c, w = self.config, self.w
        H, dk, dv, K = c["flow_heads"], c["flow_dk"], c["flow_dv"], c["conv"]
        flows, rows, _ = x.shape
        n = norm(x, w[f"{layer}.mix.norm.weight"])
        u, z, d = self.linear(n, f"{layer}.mix.in").split([H * (2 * dk + dv), H * dv, H], dim=2)
        before = F.pad(u, (0, 0, K - 1, 0))
        conv = w[f"{layer}.mix.conv.weight"]
        s = F.silu(w[f"{layer}.mix.conv.bias"] + sum(conv[j] * before[:, j:j + rows] for j in range(K)))
        q, k, v = (a.reshape(flows, rows, H, -1) for a in s.split([H * dk, H * dk, H * dv], dim=2))
        g = (-F.softplus(d + w[f"{layer}.mix.gate.bias"]) * torch.exp(w[f"{layer}.mix.gate.rate"])).clamp(min=-20)
        a = norm(self.batch_scan(q, k, v, g), w[f"{layer}.mix.head_norm.weight"].reshape(H, dv)) * F.silu(z.reshape(flows, rows, H, dv))
        return self.mlp(x + self.linear(a.reshape(flows, rows, -1), f"{layer}.mix.out"), layer)

    def contexts(self, x):
        """[flows][1 + packets][C] from the packets' vectors [flows][packets][C]."""
        x = torch.cat([self.w["flow.start"].expand(len(x), 1, -1), x], 1)
        for layer in range(self.config["flow_layers"]):
            x = self.mixer(x, f"flow.{layer}")
        return norm(x, self.w["flow.norm.weight"])

    def infer(self, flows):
        """Of each head the logits [flows][labels] after the flows' last packets."""
        ids, length, packets = pad(flows)
        x = self.packets(ids.flatten(0, 1), length.flatten()).reshape(len(flows), ids.shape[1], -1)
        context = self.contexts(x)[torch.arange(len(flows)), packets]
        return [self.head(h, context) for h in range(len(self.heads))]


def check(model, plain, flows):
    """The largest difference from the plain model's logits, for some flows."""
    apart = 0
    for f, logits in zip(flows, zip(*model.infer(flows))):
        ids = [torch.tensor(p) for p in f]
        context = plain.flow([plain.packet(plain.w["embed.weight"][p], p) for p in ids])[-1]
        apart = max([apart] + [float((x - plain.head(h, context)).abs().max()) for h, x in enumerate(logits)])
    return apart
