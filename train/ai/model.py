"""The network: convolutions at full, half and maybe quarter size that correct a fixed interpolation.

Numbers as the integer engine sees them (models/README.md):
  input and output   15-bit samples; here (sample - 16384) / 32768
  activations        u8 code n; here n / 256
  weights            integers over a power of two, chosen per output channel

Kinds of layers: "conv"; "down", a 3x3 convolution of stride 2; "up", a 1x1 convolution to four times as many
channels, then pixel shuffle. Any but the last may add an earlier layer's activations before the limit.

While training, a convolution between equal widths may be the sum of a wide pair (3x3 to many channels,
1x1 back), a direct kernel and the identity, merged into one kernel before it is used.
"""
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None

KINDS = ("conv", "down", "up")  # as numbered in `graph` of the .npz


@dataclass(frozen=True)
class Layer:
    """outputs: channels after the pixel shuffle of an "up"; skip: index of the layer it adds, or -1."""

    kind: str
    inputs: int
    outputs: int
    side: int = 3
    skip: int = -1

    @property
    def channels(self):
        """of the convolution"""
        return self.outputs * (4 if self.kind == "up" else 1)


@dataclass(frozen=True)
class Spec:
    """wide: hidden width of a training pair in units of the layer's width, 0 trains the plain kernel."""

    layers: tuple
    wide: int = 0

    def sizes(self):
        """Pixels of the input along a sample of every layer's convolution."""
        out, size = [], 1
        for l in self.layers:
            size *= 2 if l.kind == "down" else 1
            out.append(size)
            size //= 2 if l.kind == "up" else 1
        return out

    def multiplications(self):
        return sum(l.inputs * l.channels * l.side**2 / s**2 for l, s in zip(self.layers, self.sizes()))

    def reach(self):
        """Input pixels beyond which nothing matters, rounded up to whole samples of the smallest size."""
        top = max(self.sizes())
        reach = top - 1
        for l, s in zip(self.layers, self.sizes()):
            reach += l.side // 2 * (s // 2 if l.kind == "down" else s)
        return -(-reach // top) * top


def plain(width, body, head=5, tail=3, wide=4):
    """One size throughout."""
    middle = [Layer("conv", width, width)] * body
    return Spec((Layer("conv", 1, width, head), *middle, Layer("conv", width, 4, tail)), wide)


def pyramid(full, half, quarter, deep=3, wide=0, residual=True, more=(0, 0)):
    """Full, half and quarter size and back; deep: layers at quarter size, or (quarter=0) one of half size instead.
    more: layers beside at full and half size on the way back."""
    layers = []

    def add(*layer):
        layers.append(Layer(*layer))
        return len(layers) - 1

    def body(width, count, start):
        for n in range(count):
            end = add("conv", width, width, 3, start if residual and n == count - 1 else -1)
        return end

    add("conv", 1, full, 5)
    at_full = add("conv", full, full)
    at_half = body(half, 2, add("down", full, half))
    if quarter:
        body(quarter, deep, add("down", half, quarter))
        joint = add("up", quarter, half, 1, at_half)
    else:
        joint = add("conv", half, half)
    body(half, 2 + more[1], joint)
    body(full, 2 + more[0], add("up", half, full, 1, at_full))
    add("conv", full, 4)
    return Spec(tuple(layers), wide)


SPECS = {
    "anime-fast": plain(16, 5, tail=1),
    "anime-quality": plain(32, 5),
    "anime-best": pyramid(32, 64, 0, more=(0, 1)),
    "anime-ultra": pyramid(64, 128, 0, more=(1, 0)),
    "anime-web": pyramid(32, 64, 96),
    "anime-dvd": pyramid(32, 64, 96),
}

# Catmull-Rom at -1/4 and +1/4 of a pixel, in 128ths, over offsets -2..2.
BASE_TAPS = ((-3, 29, 111, -9, 0), (0, -9, 111, 29, -3))


@lru_cache
def base_kernel(device):
    t = torch.tensor(BASE_TAPS, dtype=torch.float32, device=device) / 128
    return torch.stack([t[y][:, None] * t[x][None] for y in (0, 1) for x in (0, 1)])[:, None]


def interpolate(x):
    """x [B,1,h,w] -> [B,4,h-4,w-4]: top left, top right, bottom left, bottom right."""
    return F.conv2d(x, base_kernel(x.device))


if triton:

    @triton.jit
    def _act_forward(x, bias, skip, y, rows, height, width, c: tl.constexpr, up: tl.constexpr,
                     quant: tl.constexpr, add: tl.constexpr, r: tl.constexpr, cb: tl.constexpr):
        """rows: pixels of y, height and width of y; x has a quarter of the pixels and 4c channels when up."""
        row = tl.program_id(0) * r + tl.arange(0, r)
        ch = tl.program_id(1) * cb + tl.arange(0, cb)
        ok = (row < rows)[:, None]
        to = row[:, None] * c + ch[None, :]
        if up:
            px, py = row % width, row // width % height
            k = (py % 2 * 2 + px % 2)[:, None] * c + ch[None, :]
            at = row // width // height * (height // 2) + py // 2
            of = (at * (width // 2) + px // 2)[:, None] * (4 * c) + k
            v = tl.load(x + of, ok, 0).to(tl.float32) + tl.load(bias + k)
        else:
            v = tl.load(x + to, ok, 0).to(tl.float32) + tl.load(bias + ch)[None, :]
        if quant:
            v = tl.floor(v * 256 + 0.5) * (1 / 256)
        if add:
            v += tl.load(skip + to, ok, 0).to(tl.float32)
        tl.store(y + to, tl.minimum(tl.maximum(v, 0.0), 255 / 256).to(tl.float16), ok)

    @triton.jit
    def _act_backward(g, y, d, dskip, sums, rows, height, width, c: tl.constexpr, up: tl.constexpr,
                      add: tl.constexpr, r: tl.constexpr, cb: tl.constexpr):
        """rows: pixels of d, height and width of d."""
        k = tl.program_id(1) * cb + tl.arange(0, cb)
        n = 4 * c if up else c
        total = tl.zeros([r, cb], tl.float32)
        for start in range(tl.program_id(0) * r, rows, tl.num_programs(0) * r):
            row = start + tl.arange(0, r)
            ok = (row < rows)[:, None]
            at = row[:, None] * n + k[None, :]
            if up:
                q = k[None, :] // c
                py = (row // width * 2)[:, None] + q // 2
                of = (py * (2 * width) + (row % width * 2)[:, None] + q % 2) * c + k[None, :] % c
            else:
                of = at
            v, e = tl.load(y + of, ok, 0).to(tl.float32), tl.load(g + of, ok, 0).to(tl.float32)
            e = tl.where((v > 0) & (v < 255 / 256), e, 0.0)
            tl.store(d + at, e.to(tl.float16), ok)
            if add:
                tl.store(dskip + of, e.to(tl.float16), ok)
            total += e
        tl.store(sums + tl.program_id(0) * n + k, tl.sum(total, 0))


def shuffle(x):
    """[B,4c,h,w] -> [B,c,2h,2w], channels ordered by place, then by output."""
    b, c, h, w = x.shape
    return x.view(b, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(b, c // 4, 2 * h, 2 * w)


def unshuffle(x):
    b, c, h, w = x.shape
    return x.view(b, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(b, 4 * c, h // 2, w // 2)


class Activation(torch.autograd.Function):
    """Bias, (quant) rounding to u8, (up) pixel shuffle, (skip) sum, limit; gradients pass the rounding."""

    fused = triton is not None

    @staticmethod
    def forward(ctx, x, bias, skip, quant, up):
        b, k, h, w = x.shape
        ctx.up, ctx.add = up, skip is not None
        ctx.fused = x.is_cuda and x.dtype == torch.float16 and Activation.fused
        if not ctx.fused:
            v = x.float() + bias.view(1, -1, 1, 1)
            if quant:
                v = torch.floor(v * 256 + 0.5) / 256
            v = shuffle(v) if up else v
            y = torch.clamp(v if skip is None else v + skip.float(), 0, 255 / 256).to(x.dtype)
        else:
            c, h, w = (k // 4, 2 * h, 2 * w) if up else (k, h, w)
            y = torch.empty((b, c, h, w), dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
            cb = next(n for n in (64, 32, 16) if c % n == 0)
            r = 2048 // cb
            grid = (triton.cdiv(b * h * w, r), c // cb)
            _act_forward[grid](x, bias, y if skip is None else skip, y, b * h * w, h, w, c, up, quant, ctx.add, r, cb)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        if not ctx.fused:
            e = g * ((y > 0) & (y < 255 / 256)).to(g.dtype)
            d = unshuffle(e) if ctx.up else e
            return d, d.sum((0, 2, 3), dtype=torch.float32), e if ctx.add else None, None, None
        g = g.contiguous(memory_format=torch.channels_last)
        b, c, h, w = y.shape
        k, h, w = (4 * c, h // 2, w // 2) if ctx.up else (c, h, w)
        d = torch.empty((b, k, h, w), dtype=y.dtype, device=y.device, memory_format=torch.channels_last)
        dskip = torch.empty_like(y) if ctx.add and ctx.up else d
        cb = next(n for n in (64, 32, 16) if c % n == 0)
        r = 2048 // cb
        many = min(triton.cdiv(b * h * w, r), max(1056 // (k // cb), 1))
        sums = torch.empty((many, k), dtype=torch.float32, device=y.device)
        _act_backward[(many, k // cb)](g, y, d, dskip, sums, b * h * w, h, w, c, ctx.up, ctx.add and ctx.up, r, cb)
        return d, sums.sum(0), dskip if ctx.add else None, None, None


class Quantize(torch.autograd.Function):
    """(weights, biases) as the engine holds them, or (not quant) as they are, in the type to compute with."""

    @staticmethod
    def forward(ctx, weights, biases, net, quant, kind):
        if quant:
            weights, biases = net.rounded(weights, biases)
        return weights.to(kind), biases.clone()

    @staticmethod
    def backward(ctx, gw, gb):
        return gw.float(), gb, None, None, None


EXACT = 0.98 * 2**24  # below which sums of the engine stay, with room for rounding


class Net:
    """All parameters live in one flat vector, so that optimizer and averaging are a few operations.

    Weights lie as [output][row][column][input], and the outputs of an "up" by place, then by channel.
    """

    def __init__(self, spec, device, seed=0):
        self.spec, self.device = spec, device
        gen = torch.Generator().manual_seed(seed)
        self.shapes, parts, rates = [], [], []
        last = len(spec.layers) - 1

        def add(shape, std, rate=1.0, centre=0.0):
            """centre: part of the kernels' means that is taken off, for activations are never negative."""
            self.shapes.append(shape)
            w = torch.randn(shape, generator=gen) * std if std else torch.zeros(shape)
            parts.append((w - centre * w.mean(-1, keepdim=True)).flatten())
            rates.append(torch.full((w.numel(),), min(rate, 1.0)))

        for n, l in enumerate(spec.layers):
            small = 0.02 if n == last else 0.5 if l.skip >= 0 else 1.0
            fan = l.inputs * l.side**2
            rate = math.sqrt(288 / fan)  # wider layers take smaller steps
            if self.paired(l):
                hidden = spec.wide * l.inputs
                add((hidden, fan), math.sqrt(1 / fan), rate)
                add((l.channels, hidden), small * math.sqrt(1 / hidden), rate)
            add((l.channels, fan), small * math.sqrt((0.1 if self.paired(l) else 2) / fan), rate, 0.8 if n else 0.0)
        for n, l in enumerate(spec.layers):
            add((l.channels,), 0)
            parts[-1] += 0.1 if n < last and l.skip < 0 else 0.0
        self.theta, self.rates = torch.cat(parts).to(device), torch.cat(rates).to(device)
        self._channels()

    def paired(self, l):
        return self.spec.wide and l.kind == "conv" and l.inputs == l.outputs

    def matrices(self):
        """Where in theta the kernels between the first layer and the last lie: {(rows, columns): [start, ...]}."""
        starts = np.cumsum([0] + [math.prod(s) for s in self.shapes])
        kernels = [(s, at) for s, at in zip(self.shapes, starts.tolist()) if len(s) == 2]
        return {s: [at for other, at in kernels[1:-1] if other == s] for s, _ in kernels[1:-1]}

    def _channels(self):
        """Tables over the output channels of all layers: their weights, padded, and bits."""
        layers = self.spec.layers
        count = sum(l.channels * l.inputs * l.side**2 for l in layers)
        longest = max(l.inputs * l.side**2 for l in layers)
        table, at = [], 0
        for l in layers:
            n = l.inputs * l.side**2
            rows = torch.full((l.channels, longest), count)
            rows[:, :n] = at + torch.arange(l.channels * n).view(l.channels, n)
            table.append(rows)
            at += l.channels * n

        def each(f):
            return torch.cat([torch.full((l.channels,), float(f(n))) for n, l in enumerate(layers)]).to(self.device)

        self.table = torch.cat(table).to(self.device)
        self.row = torch.cat([torch.full((l.channels * l.inputs * l.side**2,), 0) for l in layers])
        flat = self.table.cpu()
        self.row[flat[flat < count]] = torch.arange(len(flat))[:, None].expand_as(flat)[flat < count]
        self.row = self.row.to(self.device)
        self.first = each(lambda n: n == 0)
        self.least = each(lambda n: 7 if n == len(layers) - 1 else 1)
        self.most = each(lambda n: 32767 if n == 0 else 127)
        self.into = each(lambda n: 15 if n == 0 else 8)

    def shifts(self, weights, biases):
        """Power of two per output channel: as fine as the integer range allows.

        The first layer meets 15-bit samples: its sums stay exact in 24 bits when the magnitudes of a
        channel's integers add up to less than 1024. The others are s8, and their sums stay in 24 bits, too.
        """
        m = torch.cat([weights.abs(), weights.new_zeros(1)])[self.table]
        total, top = m.sum(1), m.amax(1)
        room = torch.minimum(127.49 / top, EXACT / (255 * total + 256 * biases.abs() + 1))
        room = torch.where(self.first > 0, 1010 / total, room)
        s = torch.floor(torch.log2(torch.clamp(room, 1e-9, 2.0**14)))
        return torch.minimum(torch.maximum(s, self.least), torch.full_like(s, 14))

    def rounded(self, weights, biases):
        s = self.shifts(weights, biases)
        scale, top = torch.exp2(s)[self.row], self.most[self.row]
        k = torch.minimum(torch.maximum(torch.round(weights * scale), -top), top)
        unit = torch.exp2(s + self.into)
        return k / scale, torch.round(biases * unit) / unit

    def merged(self, theta):
        """(weights, biases), each flat over all layers."""
        parts = [p.view(s) for p, s in zip(torch.split(theta, [math.prod(s) for s in self.shapes]), self.shapes)]
        weights, layers = [], self.spec.layers
        at = 0
        for l in layers:
            if self.paired(l):
                a, b, direct = parts[at : at + 3]
                centre = (l.side**2 // 2) * l.inputs
                eye = F.pad(torch.eye(l.inputs, device=theta.device), (centre, direct.shape[1] - centre - l.inputs))
                weights.append(torch.addmm(direct + 0.5 * eye, b, a, alpha=0.5).flatten())
                at += 3
            else:
                weights.append(parts[at].flatten())
                at += 1
        return torch.cat(weights), torch.cat([p for p in parts[at:]])

    def kernels(self, weights, biases):
        """Per layer the kernel [channels, inputs, side, side], channels last in memory, and the bias."""
        layers = self.spec.layers
        w = torch.split(weights, [l.channels * l.inputs * l.side**2 for l in layers])
        w = [k.view(l.channels, l.side, l.side, l.inputs).permute(0, 3, 1, 2) for k, l in zip(w, layers)]
        return list(zip(w, torch.split(biases, [l.channels for l in layers])))

    def start(self, chain):
        """Begins with the integers of a trained network."""
        weights, biases = [], []
        last = len(chain) - 1
        for n, ((w, b, shift, *_), l) in enumerate(zip(chain, self.spec.layers)):
            order = self._order(l)
            w, b, shift = w[order], b[order], shift[order]
            into, out_of = (15 if n == 0 else 8), (15 if n == last else 8)
            scale = 2.0 ** (shift.astype(float) - into + out_of)  # of the integers
            w = (w / scale[:, None, None, None]).transpose(0, 2, 3, 1)
            weights.append(torch.from_numpy(w).float().reshape(l.channels, -1))
            biases.append(torch.from_numpy((b - (1 << shift.astype(int) >> 1)) / (scale * 2.0**into)).float())
        parts = list(torch.split(self.theta, [math.prod(s) for s in self.shapes]))
        at = 0
        for l, w in zip(self.spec.layers, weights):
            if self.paired(l):
                parts[at + 1].zero_()
                centre = (l.side**2 // 2) * l.inputs
                w[:, centre : centre + l.inputs] -= 0.5 * torch.eye(l.inputs)
                at += 2
            parts[at].copy_(w.flatten())
            at += 1
        for part, b in zip(parts[at:], biases):
            part.copy_(b)

    @staticmethod
    def _order(l):
        """PyTorch's channel for each of ours."""
        if l.kind != "up":
            return np.arange(l.channels)
        return np.arange(l.channels).reshape(l.outputs, 4).T.flatten()

    def differences(self, x, theta, quant, kind=None):
        """x [B,inputs,h,w], sides multiples of 4 -> [B,4,h,w], or what the last layer has; nearer to the edge than
        the reach they are inexact. For the tensor cores of a GPU channels are filled up to multiples of 8."""
        kind = kind or (torch.float16 if x.is_cuda else torch.float32)
        kernels = self.kernels(*Quantize.apply(*self.merged(theta), self, quant, kind))
        layers = self.spec.layers
        kept = {l.skip for l in layers}
        outs, h = {}, None
        for n, (l, (w, b)) in enumerate(zip(layers, kernels)):
            if n == 0:
                h = F.pad(x, (l.side // 2,) * 4, mode="replicate")
                h, w = (F.pad(t.to(kind), (0, 0, 0, 0, 0, -l.inputs % 8)) for t in (h, w))
                h = F.conv2d(*(t.contiguous(memory_format=torch.channels_last) for t in (h, w)))
            elif n == len(layers) - 1:
                w = F.pad(w, (0, 0, 0, 0, 0, 0, 0, -l.outputs % 8)).contiguous(memory_format=torch.channels_last)
                return F.conv2d(h, w, padding=l.side // 2)[:, : l.outputs].float() + b.view(1, -1, 1, 1)
            else:
                h = F.conv2d(h, w, padding=l.side // 2, stride=2 if l.kind == "down" else 1)
            h = Activation.apply(h, b, outs.get(l.skip), quant, l.kind == "up")
            if n in kept:
                outs[n] = h

    def enlarge(self, x, theta, quant):
        """x [B,1,h,w] -> [B,1,2h,2w], exact: the edges are continued, as the engine does it."""
        pad = self.spec.reach()
        down, right = -x.shape[2] % 4, -x.shape[3] % 4
        wide = F.pad(x, (pad, pad + right, pad, pad + down), mode="replicate")
        d = self.differences(wide, theta, quant, torch.float32)
        d = d[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]] + interpolate(F.pad(x, (2,) * 4, mode="replicate"))
        return F.pixel_shuffle(d, 2)

    def integers(self, theta):
        """What the engine computes with: a list of (weights int, bias int, shift int) per layer."""
        weights, biases = (v.detach() for v in self.merged(theta))
        s = self.shifts(weights, biases)
        weights, biases = self.rounded(weights, biases)
        ints = torch.round(weights.double() * torch.exp2(s.double())[self.row]).long()
        out, last = [], len(self.spec.layers) - 1
        steps = torch.split(s, [l.channels for l in self.spec.layers])
        for n, (l, s, (w, b)) in enumerate(zip(self.spec.layers, steps, self.kernels(ints, biases))):
            # from sums in 2^-(s + bits of the input) to codes in 2^-(bits of the output)
            into, out_of = (15 if n == 0 else 8), (15 if n == last else 8)
            shift = s.long() + into - out_of
            bias = torch.round(b.double() * torch.exp2(s.double() + into)).long() + (1 << shift >> 1)
            w, bias, shift = (t.cpu().numpy() for t in (w, bias, shift))
            top = np.abs(w).sum((1, 2, 3)) * (16384 if n == 0 else 255) + (0 if n == 0 else np.abs(bias))
            assert top.max() < 2**24, (n, top.max())
            back = np.argsort(self._order(l))
            out.append((w[back], bias[back], shift[back]))
        return out

    def graph(self):
        """Per layer its kind and the layer that it adds, as the .npz has them."""
        return np.array([(KINDS.index(l.kind), l.skip + 1) for l in self.spec.layers], np.int32)
