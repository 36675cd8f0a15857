"""The network: a chain of plain convolutions that corrects a fixed interpolation.

Numbers as the integer engine sees them (models/FORMAT.md):
  input and output   15-bit samples; here (sample - 16384) / 32768
  activations        u8 code n; here n / 256
  weights            integers over a power of two, chosen per output channel

While training, each convolution is the sum of a wide pair (3x3 to many channels, 1x1 back), a
direct kernel and the identity, all merged into one kernel before it is used: more freedom for the
optimizer, no cost afterwards.
"""
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None


@dataclass
class Spec:
    """width: channels between layers, a multiple of 8; body: width-to-width 3x3 layers; head, tail:
    kernel sizes of the first and last layer; wide: hidden width of a training pair in units of
    `width`, 0 trains the plain kernel."""

    width: int
    body: int
    head: int = 5
    tail: int = 3
    wide: int = 4

    def layers(self):
        """(inputs, outputs, kernel size) of every convolution."""
        body = [(self.width, self.width, 3)] * self.body
        return [(1, self.width, self.head)] + body + [(self.width, 4, self.tail)]

    def radius(self):
        return sum(k // 2 for _, _, k in self.layers())

    def multiplications(self):
        return sum(i * o * k * k for i, o, k in self.layers())


SPECS = {
    "anime-fast": Spec(16, 5, tail=1),
    "anime-quality": Spec(32, 5),
}

# Catmull-Rom at -1/4 and +1/4 of a pixel, in 128ths, over offsets -2..2.
BASE_TAPS = ((-3, 29, 111, -9, 0), (0, -9, 111, 29, -3))


def base_kernel(device):
    t = torch.tensor(BASE_TAPS, dtype=torch.float32, device=device) / 128
    return torch.stack([t[y][:, None] * t[x][None] for y in (0, 1) for x in (0, 1)])[:, None]


def interpolate(x):
    """x [B,1,h,w] -> [B,1,2h-8,2w-8]; only where the kernel fits."""
    return F.pixel_shuffle(F.conv2d(x, base_kernel(x.device)), 2)


if triton:

    @triton.jit
    def _act_forward(x, bias, y, n, c: tl.constexpr, quant: tl.constexpr, block: tl.constexpr):
        i = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
        v = tl.load(x + i, i < n).to(tl.float32) + tl.load(bias + i % c)
        if quant:
            v = tl.floor(v * 256 + 0.5) / 256
        tl.store(y + i, tl.minimum(tl.maximum(v, 0.0), 255 / 256), i < n)

    @triton.jit
    def _act_backward(g, x, bias, d, n, c: tl.constexpr, block: tl.constexpr):
        i = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
        v = tl.load(x + i, i < n).to(tl.float32) + tl.load(bias + i % c)
        k = tl.load(g + i, i < n)
        tl.store(d + i, tl.where((v > 0) & (v < 255 / 256), k, 0.0), i < n)


class Activation(torch.autograd.Function):
    """bias, clamped ReLU, and (quant) rounding to u8; rounding passes gradients through."""

    @staticmethod
    def forward(ctx, x, bias, quant):
        ctx.save_for_backward(x, bias)
        if x.is_cuda and triton:
            y, n = torch.empty_like(x), x.numel()
            _act_forward[(triton.cdiv(n, 2048),)](x, bias, y, n, x.shape[1], quant, 2048)
            return y
        v = x.float() + bias.view(1, -1, 1, 1)
        if quant:
            v = torch.floor(v * 256 + 0.5) / 256
        return torch.clamp(v, 0, 255 / 256).to(x.dtype)

    @staticmethod
    def backward(ctx, g):
        x, bias = ctx.saved_tensors
        if x.is_cuda and triton:
            g = g.contiguous(memory_format=torch.channels_last)
            d, n = torch.empty_like(x), x.numel()
            _act_backward[(triton.cdiv(n, 2048),)](g, x, bias, d, n, x.shape[1], 2048)
        else:
            v = x.float() + bias.view(1, -1, 1, 1)
            d = g * ((v > 0) & (v < 255 / 256)).to(g.dtype)
        return d, d.sum((0, 2, 3), dtype=torch.float32), None


def shifts(w, index, last):
    """Power of two per output channel: as fine as the integer range allows.

    The first layer meets 15-bit samples: its sums stay exact in 24 bits when the magnitudes of a
    channel's integers add up to less than 1024. The others are s8.
    """
    flat = w.detach().abs().flatten(1)
    room = 1010 / flat.sum(1) if index == 0 else 127.49 / flat.amax(1)
    s = torch.floor(torch.log2(torch.clamp(room, 1e-9, 2.0**14)))
    return torch.clamp(s, 7 if index == last else 1, 14)


def to_grid(w, index, last):
    """Rounds weights to what the integer engine holds; gradients pass through."""
    s = torch.exp2(shifts(w, index, last)).view(-1, 1, 1, 1)
    k = torch.round(w * s)
    if index:
        k = torch.clamp(k, -127, 127)
    return w + (k / s - w).detach()


class Net:
    """All parameters live in one flat vector, so that optimizer and averaging are a few operations."""

    def __init__(self, spec, device, seed=0):
        self.spec, self.device = spec, device
        gen = torch.Generator().manual_seed(seed)
        self.shapes, parts = [], []

        def add(shape, std):
            self.shapes.append(shape)
            parts.append((torch.randn(shape, generator=gen) * std).flatten() if std else torch.zeros(math.prod(shape)))

        layers = spec.layers()
        for n, (i, o, k) in enumerate(layers):
            small = 0.1 if n == len(layers) - 1 else 1.0
            fan = i * k * k
            wide = spec.wide * spec.width
            if wide:
                add((wide, i, k, k), math.sqrt(1 / fan))
                add((o, wide), small * math.sqrt(1 / wide))
            add((o, i, k, k), small * math.sqrt((0.1 if wide else 2) / fan))
            add((o,), 0)
            parts[-1] += 0.1 if n < len(layers) - 1 else 0.0
        self.theta = torch.cat(parts).to(device)
        self.base = base_kernel(device)

    def start(self, chain):
        """Begins with the integers of a trained network."""
        parts = list(torch.split(self.theta, [math.prod(s) for s in self.shapes]))
        step, last = (4 if self.spec.wide else 2), len(chain) - 1
        for n, (weights, bias, shift, *_) in enumerate(chain):
            into, out_of = (15 if n == 0 else 8), (15 if n == last else 8)
            scale = 2.0 ** (shift.astype(float) - into + out_of)  # of the integers
            w = torch.from_numpy(weights / scale[:, None, None, None]).float()
            b = torch.from_numpy((bias - (1 << shift.astype(int) >> 1)) / (scale * 2.0**into)).float()
            if step == 4:
                parts[n * 4 + 1].zero_()
                if w.shape[0] == w.shape[1]:
                    eye = torch.eye(w.shape[0]).view(*w.shape[:2], 1, 1)
                    w = w - F.pad(eye, (w.shape[2] // 2,) * 4) * 0.5
            parts[n * step + step - 2].copy_(w.flatten())
            parts[n * step + step - 1].copy_(b)

    def kernels(self, theta):
        """The merged (weights, bias) of every layer."""
        parts = iter(torch.split(theta, [math.prod(s) for s in self.shapes]))
        shapes = iter(self.shapes)
        take = lambda: next(parts).view(next(shapes))
        out = []
        for i, o, k in self.spec.layers():
            w = 0
            if self.spec.wide:
                a, b = take(), take()
                w = (b @ a.flatten(1)).view(o, i, k, k)
                if i == o:
                    eye = torch.eye(o, device=w.device).view(o, o, 1, 1)
                    w = w * 0.5 + F.pad(eye, (k // 2,) * 4) * 0.5
            out.append((w + take(), take()))
        return out

    def forward(self, x, theta, quant):
        """x [B,1,h,w] -> [B,1,2(h-2r),2(w-2r)]: only where the receptive field fits."""
        r = self.spec.radius()
        kind = torch.float16 if x.is_cuda else torch.float32
        kernels = self.kernels(theta)
        last = len(kernels) - 1
        h = F.pad(x, (0, 0, 0, 0, 0, 7)).to(kind).contiguous(memory_format=torch.channels_last)
        for n, (w, b) in enumerate(kernels):
            if quant:
                w = to_grid(w, n, last)
            w = F.pad(w, (0, 0, 0, 0, 0, -w.shape[1] % 8, 0, -w.shape[0] % 8))
            h = F.conv2d(h, w.to(kind).contiguous(memory_format=torch.channels_last))
            if n < last:
                h = Activation.apply(h, b, quant)
        h = h[:, :4].float() + b.view(1, -1, 1, 1)
        e = r - 2
        base = F.conv2d(x[:, :, e : x.shape[2] - e, e : x.shape[3] - e], self.base)
        return F.pixel_shuffle(base, 2) + F.pixel_shuffle(h, 2)

    def integers(self, theta):
        """What the engine computes with: a list of (weights int, bias int, shift int) per layer."""
        kernels = [(w.detach(), b.detach()) for w, b in self.kernels(theta)]
        out, last = [], len(kernels) - 1
        for n, (w, b) in enumerate(kernels):
            s = shifts(w, n, last)
            k = torch.round(to_grid(w, n, last) * torch.exp2(s).view(-1, 1, 1, 1))
            # from sums in 2^-(s + bits of the input) to codes in 2^-(bits of the output)
            into, out_of = (15 if n == 0 else 8), (15 if n == last else 8)
            shift = s.long() + into - out_of
            bias = torch.round(b.double() * torch.exp2(s.double() + into)).long() + (1 << shift >> 1)
            out.append((k.long().cpu().numpy(), bias.cpu().numpy(), shift.cpu().numpy()))
        return out
