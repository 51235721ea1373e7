# SPDX-License-Identifier: Apache-2.0
"""torch_plain.py: a wirespeak model as a careful user writes it in PyTorch, to be trained and run in batches with padding.

Flows of like length make a batch, padded to the longest one; packets of like length of the batch are read together, padded likewise.
The scan of the flow stack goes in chunks, the loss has the two steps of the model, each a cross entropy; gradients are those
of autograd, bfloat16 is that of autocast, AdamW and clipping are PyTorch's own. Nothing is written by hand that PyTorch has.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F
import torch_padded
from torch.nn.utils.rnn import pad_sequence
from torch_model import norm

CHUNK = 32  # rows of a flow at once
FLOWS = 64  # of a batch
PACKETS = 128  # of a group


class Group:
    """Some packets of a batch, padded. number: which ones of the batch."""

    def __init__(self, number, packets):
        self.number, self.length = number, torch.tensor([len(packets[i]) for i in number])
        self.real = torch.arange(int(self.length.max())) < self.length[:, None]
        self.target = torch.tensor(np.concatenate([packets[i] for i in number]))
        self.ids = torch.zeros(self.real.shape, dtype=torch.long)
        self.ids[self.real] = self.target


class Batch:
    """Flows `chosen` of ragged arrays. labels [flows][heads], all of them set; the loss is a share of that of all flows."""

    def __init__(self, chosen, ids, packet_off, flow_off, labels):
        self.packets = np.concatenate([np.arange(flow_off[f], flow_off[f + 1]) for f in chosen])
        self.counts = np.diff(flow_off)[chosen].tolist()
        self.there = torch.arange(max(self.counts)) < torch.tensor(self.counts)[:, None]
        packets = [ids[packet_off[p]:packet_off[p + 1]] for p in self.packets]
        order = torch.tensor([len(p) for p in packets]).argsort()
        self.groups, self.place = [Group(number, packets) for number in order.split(PACKETS)], order.argsort()
        self.n_tokens, self.all_tokens = sum(map(len, packets)), len(ids)
        self.labels = torch.tensor(np.repeat(labels[chosen], self.counts, 0))
        self.weight = torch.tensor(1 / (np.repeat(self.counts, self.counts) * len(labels)), dtype=torch.float32)


def batches(ids, packet_off, flow_off, labels, _text, size=FLOWS):
    """All flows, the longest ones first, so many a batch."""
    order = np.argsort(-np.diff(flow_off), kind="stable")
    return [Batch(order[i:i + size], ids, packet_off, flow_off, labels) for i in range(0, len(order), size)]


class Model(torch_padded.Model):
    def __init__(self, plain, dtype):
        """plain: a torch_model.Model, whose parameters are used and get the gradients."""
        self.config, self.heads, self.w, self.dtype = plain.config, plain.heads, plain.w, dtype
        border = torch.tensor(self.config.get("ranges", [0]) + [self.config["vocab"]])
        self.range_first, self.range_sizes = border[:-1], border.diff()

    def weights(self):
        """torch_fast casts its parameters here; autocast does it in every step."""

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.dtype == torch.bfloat16)

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"])

    def mlp(self, x, layer):
        u = self.linear(norm(x, self.w[f"{layer}.mlp.norm.weight"]), f"{layer}.mlp.up")
        return x + self.linear(F.gelu(u, approximate="tanh"), f"{layer}.mlp.down")

    def batch_scan(self, q, k, v, g):
        """As products of matrices within chunks; float32, since it sums over a whole flow."""
        q, k, v, g = (a.float().transpose(1, 2) for a in (q, k, v, g))  # [flows][H][rows]...
        state, out = q.new_zeros(*q.shape[:2], q.shape[3], v.shape[3]), []
        with torch.autocast("cpu", enabled=False):
            for qc, kc, vc, gc in zip(*(a.split(CHUNK, 2) for a in (q, k, v, g))):
                G = gc.cumsum(2)
                above = torch.ones(G.shape[2], G.shape[2], dtype=torch.bool).triu(1)
                decay = torch.exp((G[..., :, None] - G[..., None, :]).masked_fill(above, -math.inf))
                out.append(torch.exp(G)[..., None] * (qc @ state) + (qc @ kc.transpose(2, 3) * decay) @ vc)
                last = G[..., -1:]
                state = torch.exp(last)[..., None] * state + (torch.exp(last - G)[..., None] * kc).transpose(2, 3) @ vc
        return torch.cat(out, 2).transpose(1, 2)

    def flows(self, b):
        """Contexts [flows][1 + packets][C]."""
        packets = torch.cat([self.packets(g.ids, g.length) for g in b.groups])[b.place]
        return self.contexts(pad_sequence(packets.split(b.counts), batch_first=True))

    def logits(self, c, b):
        """Of each head the logits [packets][labels] after every packet."""
        return [self.head(h, c[:, 1:][b.there]) for h in range(len(self.heads))]

    @torch.inference_mode()
    def infer(self, b):
        with self.autocast():
            c = self.flows(b)
            return c, self.logits(c, b)

    def output(self, g, c):
        """A row for each token of a group, from the tokens before it and the context before its packet [packets][C]."""
        ids = g.ids[:, :-1]
        before = F.embedding(ids, self.w["embed.weight"]) + self.text(ids, "output.text_position.weight")
        x = torch.cat([self.w["output.start"].expand(len(ids), 1, -1), before], 1)
        x = x + self.w["output.position.weight"][:x.shape[1]] + self.linear(c, "output.context")[:, None]
        for layer in range(self.config["output_layers"]):
            x = self.attention(x, f"output.{layer}")
        return norm(x, self.w["output.norm.weight"])[g.real]

    def next_token_loss(self, n, target):
        """The sum of -ln p(target): of its range, and of the token among those of its range."""
        if "ranges" not in self.config:
            return F.cross_entropy(self.linear(n, "embed").float(), target, reduction="sum")
        number = torch.searchsorted(self.range_first, target, right=True) - 1
        loss = F.cross_entropy(self.linear(n, "output.range").float(), number, reduction="sum")
        order, counts = number.argsort(), number.bincount(minlength=len(self.range_first)).tolist()
        inside = target - self.range_first[number]
        parts = n[order].split(counts), self.w["embed.weight"].split(self.range_sizes.tolist()), inside[order].split(counts)
        for rows, weight, wanted in zip(*parts):
            if len(rows) and len(weight) > 1:
                loss = loss + F.cross_entropy(F.linear(rows, weight).float(), wanted, reduction="sum")
        return loss

    def loss(self, b):
        """The batch's share of the next-token loss and the heads' loss, unweighted and unsmoothed."""
        with self.autocast():
            c, loss = self.flows(b), 0
            if self.config["output_layers"]:
                before = c[:, :-1][b.there]
                rows = torch.cat([self.output(g, before[g.number]) for g in b.groups])
                loss = self.next_token_loss(rows, torch.cat([g.target for g in b.groups])) / b.all_tokens
            for h, logits in enumerate(self.logits(c, b)):
                nll = F.cross_entropy(logits.float(), b.labels[:, h], reduction="none")
                loss = loss + (nll * b.weight).sum() / len(self.heads)
        return loss


class Optimiser:
    """Clipping to 1 and AdamW."""

    def __init__(self, model):
        self.params = list(model.w.values())
        self.adam = torch.optim.AdamW(self.params, lr=1e-6, betas=(0.9, 0.95), weight_decay=0.05)

    def step(self):
        torch.nn.utils.clip_grad_norm_(self.params, 1)
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
