# SPDX-License-Identifier: Apache-2.0
"""torch_fast.py: the model of wirespeak-model(5) in PyTorch for speed: contrib/torch_model.py is the readable one.

Packets lie one behind the other in blocks of `BLOCK` rows, none across a border, so that attention is one batch of equal
products with a mask and hardly any row is padding; flows likewise. `dtype` is the type of matrix products; parameters,
residuals, norms, gates and losses are float32.
"""
import math
import warnings

import numpy as np
import torch
import torch.nn.functional as F

warnings.filterwarnings("ignore", "scatter_reduce")  # "in beta"

BLOCK = 64
LOSS_ROWS = TILE_ROWS = 256
GELU = torch.tensor(1.5957691216)


class Norm(torch.autograd.Function):
    """x / rms(x) * w, in the type that the product behind it wants."""

    @staticmethod
    def forward(ctx, x, w, dtype):
        r = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(1e-6).rsqrt_()
        ctx.save_for_backward(x, w, r)
        return (x * r).mul_(w).to(dtype)

    @staticmethod
    def backward(ctx, dy):
        x, w, r = ctx.saved_tensors
        dy = dy.float()
        n = x * r
        dw = (dy * n).flatten(0, -1 - w.dim()).sum(0)
        g = dy * w
        mean = (g * n).sum(-1, keepdim=True).div_(-x.shape[-1])
        return g.addcmul_(n, mean).mul_(r), dw, None


class Gelu(torch.autograd.Function):
    """Forward by tiles that stay in the cache, with the sigmoid that the tanh amounts to: faster than PyTorch's own."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        y = torch.empty_like(x)
        for i in range(0, len(x), TILE_ROWS):
            u = x[i:i + TILE_ROWS].float()
            y[i:i + TILE_ROWS] = torch.add(GELU, u * u, alpha=0.044715 * GELU.item()).mul_(u).sigmoid_().mul_(u)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, = ctx.saved_tensors
        return torch.ops.aten.gelu_backward(dy.float(), x.float(), approximate="tanh").to(x.dtype)


def step_loss(n, weights, target, dn, dweights):
    """The sum of -ln softmax(n W')[target]. Logits exist for a few rows at a time, their gradient is formed on the spot:
    that of n is put into dn, that of the weights added to dweights."""
    loss = 0.0
    for i in range(0, len(n), LOSS_ROWS):
        rows, t = n[i:i + LOSS_ROWS], target[i:i + LOSS_ROWS, None]
        p = torch.softmax(rows @ weights.T, -1)
        at = p.gather(1, t)
        loss -= at.float().log().sum()
        p.scatter_(1, t, at - 1)
        torch.mm(p, weights, out=dn[i:i + LOSS_ROWS])
        if n.dtype == torch.float32:
            dweights.addmm_(p.T, rows)
        else:
            dweights.add_(p.T @ rows)
    return loss


class NextTokenLoss(torch.autograd.Function):
    """Mean of -ln softmax(n E')[target]."""

    @staticmethod
    def forward(ctx, n, embed, target):
        dn, dembed = torch.empty_like(n), torch.zeros_like(embed, dtype=torch.float32)
        loss = step_loss(n, embed, target, dn, dembed)
        ctx.save_for_backward(dn, dembed)
        return loss / len(n)

    @staticmethod
    def backward(ctx, d):
        dn, dembed = ctx.saved_tensors
        scale = d / len(dn)
        return dn * scale.to(dn.dtype), dembed * scale, None


class TwoStepLoss(torch.autograd.Function):
    """The same in two steps: ranges, and tokens of a range, whose rows lie together."""

    @staticmethod
    def forward(ctx, n, embed, ranges, by):
        dn, dembed = torch.empty_like(n), torch.zeros_like(embed, dtype=torch.float32)
        dranges, rows, drows = torch.zeros_like(ranges, dtype=torch.float32), n[by.order], torch.zeros_like(n)
        loss = step_loss(n, ranges, by.range, dn, dranges)
        for from_, to, first, end in by.runs:
            loss += step_loss(rows[from_:to], embed[first:end], by.inside[from_:to], drows[from_:to], dembed[first:end])
        dn.index_add_(0, by.order, drows)
        ctx.save_for_backward(dn, dembed, dranges)
        return loss / len(n)

    @staticmethod
    def backward(ctx, d):
        dn, dembed, dranges = ctx.saved_tensors
        scale = d / len(dn)
        return dn * scale.to(dn.dtype), dembed * scale, dranges * scale, None


class ByRange:
    """Tokens by their ranges: the order, numbers inside ranges in that order, and runs (rows from, to; tokens first, end)."""

    def __init__(self, first, vocab, target):
        border = np.array(first + [vocab])
        number = np.searchsorted(border, target.numpy(), "right") - 1
        order = np.argsort(number, kind="stable")
        at = np.searchsorted(number[order], np.arange(len(first) + 1))
        self.range, self.order = torch.tensor(number), torch.tensor(order)
        self.inside = target[self.order] - torch.tensor(border[number[order]])
        self.runs = [(int(at[r]), int(at[r + 1]), first[r], int(border[r + 1]))
                     for r in range(len(first)) if at[r] < at[r + 1] and border[r + 1] - first[r] > 1]


def blocks_of(length, size=BLOCK):
    """First fit of the lengths, longest first, into blocks of `size` rows: the first row of each, and the number of rows."""
    free, start = [], np.zeros(len(length), np.int64)
    first_with = {n: 0 for n in range(1, size + 1)}  # no block before it has n free rows
    for i in np.argsort(-length, kind="stable"):
        n = int(length[i])
        b = first_with[n]
        while b < len(free) and free[b] < n:
            b += 1
        first_with[n] = b
        if b == len(free):
            free.append(size)
        start[i] = b * size + size - free[b]
        free[b] -= n
    return start, len(free) * size


def spread(start, length, rows):
    """Of each row: the item that it belongs to (-1: none) and its place in it."""
    item, place = np.full(rows, -1, np.int64), np.zeros(rows, np.int64)
    inside = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    at = np.repeat(start, length) + inside
    item[at], place[at] = np.repeat(np.arange(len(length)), length), inside
    return item, place, at


def seen(item):
    """[blocks][BLOCK][BLOCK]: a row sees those before it of its own item; padding sees itself."""
    item = item.reshape(-1, BLOCK)
    same = (item[:, :, None] == item[:, None, :]) & np.tril(np.ones((BLOCK, BLOCK), bool))
    return torch.tensor(same | np.eye(BLOCK, dtype=bool))


class Batch:
    """Indices for flows [f0, f1) of ragged arrays. labels [flows][heads], all of them set. text: the first text id, and how many."""

    def __init__(self, ids, packet_off, flow_off, labels, text=(0, 0)):
        length, packets = np.diff(packet_off), np.diff(flow_off)
        if length.max() > BLOCK:
            raise ValueError(f"a packet of {length.max()} tokens, more than the {BLOCK} of a block")
        self.n_tokens, self.by_range = len(ids), None
        self.packets = np.arange(len(length))
        # tokens
        start, rows = blocks_of(length)
        item, place, at = spread(start, length, rows)
        padded = np.zeros(rows, np.int64)
        padded[at] = ids
        self.ids, self.place, self.packet = (torch.tensor(a) for a in (padded, place, item.clip(0)))
        self.first = torch.tensor((place == 0)[:, None])
        is_text = (item >= 0) & (padded >= text[0]) & (padded < sum(text))
        self.texts = bool(is_text.any())
        if self.texts:  # 0: not a text token; n + 1: the n-th of its packet
            before = np.cumsum(is_text) - is_text
            first = np.zeros(rows, np.int64)
            first[at] = np.repeat(before[start], length)
            self.text = torch.tensor(np.where(is_text, before - first + 1, 0))
        self.mask = torch.zeros(rows // BLOCK, 1, BLOCK, BLOCK).masked_fill_(~seen(item)[:, None], -math.inf)
        self.real, self.target = torch.tensor(at), torch.tensor(ids)
        self.last, self.length = torch.tensor(start + length - 1), torch.tensor(length)
        self.flat = self.real, torch.tensor(np.repeat(np.arange(len(length)), length))  # tokens in the order of packets
        # rows of flows: a start, then the packets. Long flows have blocks of their own, the others share blocks behind them.
        size = packets + 1
        blocks = np.where(size > BLOCK, -(-size // BLOCK), 0)
        start, self.n_long = (np.cumsum(blocks) - blocks) * BLOCK, int(blocks.sum())
        self.begins = np.isin(np.arange(self.n_long) * BLOCK, start[blocks > 0])
        short = np.flatnonzero(blocks == 0)
        at_short, rows = blocks_of(size[short])
        start[short] = at_short + self.n_long * BLOCK
        rows += self.n_long * BLOCK
        item, place, at = spread(start, size, rows)
        source = np.full(rows, len(length) + 1)  # row of the table: packets, start, zero
        flow_of = np.repeat(np.arange(len(packets)), packets)
        row_of = start[flow_of] + 1 + np.arange(len(length)) - flow_off[:-1][flow_of]
        source[row_of], source[start] = np.arange(len(length)), len(length)
        self.source, self.row = torch.tensor(source), torch.tensor(row_of)
        self.before = torch.tensor(row_of - 1)
        self.back = [torch.tensor((place >= j)[:, None].astype(np.float32)) for j in range(16)]
        self.flow_hidden = ~seen(item)[:, None]
        self.weight = torch.tensor(1 / (packets[flow_of] * len(packets)), dtype=torch.float32)
        self.labels = torch.tensor(labels[flow_of])


def batches(*ragged, size=None):
    """All flows as one batch, whatever the size: there is no padding to keep small."""
    del size
    return [Batch(*ragged)]


class Model:
    def __init__(self, plain, dtype):
        """plain: a torch_model.Model, whose parameters are used and get the gradients."""
        self.config, self.w, self.dtype, self.n_heads = plain.config, plain.w, dtype, len(plain.heads)
        self.cast = None
        self.lm = self.config["output_layers"] > 0

    def weights(self):
        """Once a step: the parameters that products read, in their type."""
        self.cast = {name: w.to(self.dtype) for name, w in self.w.items() if w.dim() == 2}

    def linear(self, x, name):
        return F.linear(x, self.cast[name + ".weight"])

    def mlp(self, x, layer):
        u = self.linear(Norm.apply(x, self.w[f"{layer}.mlp.norm.weight"], self.dtype), f"{layer}.mlp.up")
        return x + self.linear(Gelu.apply(u), f"{layer}.mlp.down")

    def attention(self, x, layer, b):
        H, C = self.config["heads"], x.shape[1]
        qkv = self.linear(Norm.apply(x, self.w[f"{layer}.attn.norm.weight"], self.dtype), f"{layer}.attn.qkv")
        q, k, v = qkv.view(-1, BLOCK, 3, H, C // H).permute(2, 0, 3, 1, 4)
        p = torch.softmax((q * (C // H) ** -0.5) @ k.transpose(2, 3) + b.mask, -1)
        o = (p.to(self.dtype) @ v).transpose(1, 2).reshape(-1, C)
        return self.mlp(x + self.linear(o, f"{layer}.attn.out"), layer)

    def last_attention(self, x, layer, b):
        """The layer for the last rows of packets alone: sums over the rows of a packet, no products of matrices."""
        H, C, P = self.config["heads"], x.shape[1], len(b.last)
        n = Norm.apply(x, self.w[f"{layer}.attn.norm.weight"], self.dtype)
        w = self.cast[f"{layer}.attn.qkv.weight"]
        kv = F.linear(n, w[C:]).float()
        q = F.linear(n[b.last], w[:C]).float()
        at, packet = b.flat
        kv = F.embedding(at, kv).view(-1, 2, H, C // H)
        score = (F.embedding(packet, q).view(-1, H, C // H) * kv[:, 0]).sum(-1) * (C // H) ** -0.5
        top = score.new_full((P, H), -math.inf).scatter_reduce(0, packet[:, None].expand(-1, H), score.detach(), "amax")
        p = torch.exp(score - F.embedding(packet, top))
        total = p.new_zeros(P, H).index_add(0, packet, p)
        o = p.new_zeros(P, H, C // H).index_add(0, packet, p[:, :, None] * kv[:, 1]) / total[:, :, None]
        return self.mlp(x[b.last] + self.linear(o.view(P, C).to(self.dtype), f"{layer}.attn.out"), layer)

    def text(self, place, name):
        w = self.w[name]
        return F.embedding(place, torch.cat([w.new_zeros(1, w.shape[1]), w]))

    def packets(self, tokens, b):
        x, layers = tokens + F.embedding(b.place, self.w["packet.position.weight"]), self.config["packet_layers"]
        if b.texts:
            x = x + self.text(b.text, "packet.text_position.weight")
        for layer in range(layers - 1):
            x = self.attention(x, f"packet.{layer}", b)
        x = self.last_attention(x, f"packet.{layers - 1}", b) if layers else x[b.last]
        return Norm.apply(x, self.w["packet.norm.weight"], torch.float32)

    def scan(self, q, k, v, g, b):
        """q, k, v [blocks][H][BLOCK][...], g [blocks][BLOCK][H]"""
        G = g.cumsum(1).transpose(1, 2)
        decay = torch.exp((G[:, :, :, None] - G[:, :, None, :]).masked_fill(b.flow_hidden, -math.inf))
        o = (q @ k.transpose(2, 3) * decay) @ v
        if not b.n_long:
            return o
        G, last, v = G[:b.n_long], G[:b.n_long, :, -1:], v[:b.n_long]
        new = (torch.exp(last - G)[..., None] * k[:b.n_long]).transpose(2, 3) @ v
        zero, states = torch.zeros_like(new[0]), []
        for i, begins in enumerate(b.begins):
            states.append(zero if begins else torch.exp(last[i - 1])[..., None] * states[-1] + new[i - 1])
        carried = torch.exp(G)[..., None] * (q[:b.n_long] @ torch.stack(states))
        return torch.cat([o[:b.n_long] + carried, o[b.n_long:]])

    def mixer(self, x, layer, b):
        c, w = self.config, self.w
        H, dk, dv, K = c["flow_heads"], c["flow_dk"], c["flow_dv"], c["conv"]
        n = Norm.apply(x, w[f"{layer}.mix.norm.weight"], self.dtype)
        u, z, d = self.linear(n, f"{layer}.mix.in").float().split([H * (2 * dk + dv), H * dv, H], 1)
        conv = w[f"{layer}.mix.conv.weight"]
        s = w[f"{layer}.mix.conv.bias"] + u * conv[K - 1]
        for j in range(1, K):
            s = s + u.roll(j, 0) * b.back[j] * conv[K - 1 - j]
        s = F.silu(s)
        q, k, v = (a.reshape(-1, BLOCK, H, a.shape[1] // H).transpose(1, 2) for a in s.split([H * dk, H * dk, H * dv], 1))
        g = -F.softplus(d + w[f"{layer}.mix.gate.bias"]) * torch.exp(w[f"{layer}.mix.gate.rate"])
        o = self.scan(q, k, v, g.clamp(min=-20).view(-1, BLOCK, H), b).transpose(1, 2).reshape(-1, H, dv)
        a = Norm.apply(o, w[f"{layer}.mix.head_norm.weight"].view(H, dv), torch.float32) * F.silu(z.reshape(-1, H, dv))
        return self.mlp(x + self.linear(a.reshape(-1, H * dv).to(self.dtype), f"{layer}.mix.out"), layer)

    def contexts(self, b):
        """The tokens' rows of the embedding, and the contexts in the order of the flows' rows."""
        tokens = F.embedding(b.ids, self.w["embed.weight"])
        p = self.packets(tokens, b)
        start = self.w["flow.start"][None]
        x = F.embedding(b.source, torch.cat([p, start, torch.zeros_like(start)]))
        for layer in range(self.config["flow_layers"]):
            x = self.mixer(x, f"flow.{layer}", b)
        return tokens, Norm.apply(x, self.w["flow.norm.weight"], torch.float32)

    def logits(self, c):
        c = c.to(self.dtype)
        return [self.linear(c, f"head.{h}") + self.w[f"head.{h}.bias"] for h in range(self.n_heads)]

    @torch.inference_mode()
    def infer(self, b):
        c = F.embedding(b.row, self.contexts(b)[1])
        return c, self.logits(c)

    def next_token_loss(self, tokens, c, b):
        e = self.linear(c[b.before].to(self.dtype), "output.context").float()
        before = tokens + self.text(b.text, "output.text_position.weight") if b.texts else tokens
        x = torch.where(b.first, self.w["output.start"], before.roll(1, 0))
        x = x + F.embedding(b.place, self.w["output.position.weight"]) + F.embedding(b.packet, e)
        for layer in range(self.config["output_layers"]):
            x = self.attention(x, f"output.{layer}", b)
        n = Norm.apply(F.embedding(b.real, x), self.w["output.norm.weight"], self.dtype)
        if "ranges" not in self.config:
            return NextTokenLoss.apply(n, self.cast["embed.weight"], b.target)
        if b.by_range is None:
            b.by_range = ByRange(self.config["ranges"], self.config["vocab"], b.target)
        return TwoStepLoss.apply(n, self.cast["embed.weight"], self.cast["output.range.weight"], b.by_range)

    def loss(self, b):
        """The sum of the next-token loss and the heads' loss, unweighted and unsmoothed."""
        self.weights()
        tokens, c = self.contexts(b)
        loss = self.next_token_loss(tokens, c, b) if self.lm else 0
        for h, logits in enumerate(self.logits(F.embedding(b.row, c))):
            nll = F.cross_entropy(logits.float(), b.labels[:, h], reduction="none")
            loss = loss + (nll * b.weight).sum() / self.n_heads
        return loss


class Optimiser:
    """Clipping to 1 and AdamW."""

    def __init__(self, model):
        self.params = list(model.w.values())
        self.adam = torch.optim.AdamW(self.params, lr=1e-6, betas=(0.9, 0.95), weight_decay=0.05, foreach=True)

    def step(self):
        grads = [p.grad for p in self.params if p.grad is not None]
        size = torch.stack(torch._foreach_norm(grads)).norm()
        torch._foreach_mul_(grads, float(1 / size.clamp(min=1)))
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
