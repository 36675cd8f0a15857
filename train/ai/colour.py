"""Video of 4:2:0, and what the program makes of its chroma without a network, in torch.

Codes of 8 bits, kept in floating point where rounding is not named; BT.709, limited range, chroma sited left, unless a
Format says otherwise. Luma is [B,1,2h,2w] for chroma [B,2,h,w]; enlarged chroma is [B,2,2h,2w], which is that of a
frame of twice the size.
"""
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from data import to_code

MATRICES = {"709": (0.2126, 0.0722), "601": (0.299, 0.114)}  # parts of red and blue in luma


class Format(NamedTuple):
    matrix: str = "709"
    full: bool = False  # range
    centred: bool = False  # chroma, between luma samples across as well; else left


@lru_cache
def conversion(form):
    """(rows of the matrix from R'G'B' to Y', Cb, Cr; offsets)."""
    red, blue = MATRICES[form.matrix]
    y = np.array([red, 1 - red - blue, blue])
    cb, cr = ((np.eye(3)[n] - y) / (2 * (1 - y[n])) for n in (2, 0))
    luma, chroma = (1, 1) if form.full else (219 / 255, 224 / 255)
    rows = np.stack([luma * y, chroma * cb, chroma * cr])
    return tuple(map(tuple, rows.tolist())), (0.0 if form.full else 16.0, 128.0, 128.0)


# The program's filter, taps in 16384ths over -4..3 for the first of two outputs and -3..4 for the second: where chroma
# lies between the luma samples (down), and where it lies on one (across).
CENTRED = ((-506, 951, -1899, 4895, 15086, -2803, 1347, -687), (-687, 1347, -2803, 15086, 4895, -1899, 951, -506))
COSITED = ((-250, 466, -934, 2219, 16178, -1687, 788, -396), (-839, 1625, -3314, 13189, 7808, -2731, 1367, -721))

# How chroma is halved, taps over -3..4: where it lies on a luma sample (across), and between two (down).
DECIMATE = {
    "mean": ((0, 0, 1 / 4, 1 / 2, 1 / 4, 0, 0, 0), (0, 0, 0, 1 / 2, 1 / 2, 0, 0, 0)),
    "cubic": ((-1 / 32, 0, 9 / 32, 16 / 32, 9 / 32, 0, -1 / 32, 0),
              tuple(v / 256 for v in (-3, -9, 29, 111, 111, 29, -9, -3))),
}


@lru_cache
def constant(values, kind, device):
    """A tensor that is made once: nothing is copied to the device while a graph is captured."""
    return torch.tensor(values, dtype=torch.float64).to(device, kind)


def ycc(rgb, form=Format()):
    """R'G'B' [B,3,h,w] -> Y', Cb, Cr, not rounded."""
    matrix, offset = (constant(v, rgb.dtype, rgb.device) for v in conversion(form))
    return torch.einsum("kc,bchw->bkhw", matrix, rgb) + offset.view(1, 3, 1, 1)


def decimate(x, across, down):
    """[B,C,2h+7,2w+7] -> [B,C,h,w], the first made of what is around sample 3; taps: across and down [B or 1, 8]."""
    h, w = (x.shape[2] - 7) // 2, (x.shape[3] - 7) // 2
    across, down = across.t()[:, :, None, None, None], down.t()[:, :, None, None, None]
    x = sum(across[k] * x[..., k : k + 2 * w - 1 : 2] for k in range(8))
    return sum(down[k] * x[:, :, k : k + 2 * h - 1 : 2] for k in range(8))


def halved(x, way="mean", centred=False):
    """[B,C,2h,2w] -> [B,C,h,w], edges repeated."""
    left, between = (constant((t,), x.dtype, x.device) for t in DECIMATE[way])
    return decimate(F.pad(x, (3, 4, 3, 4), mode="replicate"), between if centred else left, between)


def subsampled(rgb, form=Format()):
    """8-bit [2h,2w,3] -> 8-bit luma [2h,2w] and chroma [2,h,w]."""
    x = ycc(torch.from_numpy(rgb.astype(np.float64)).permute(2, 0, 1)[None], form)
    return tuple(to_code(v[0]).numpy().astype(np.uint8) for v in (x[:, 0], halved(x[:, 1:], centred=form.centred)))


def interleaved(even, odd, axis):
    shape = list(even.shape)
    shape[axis] *= 2
    return torch.stack((even, odd), axis + 1).reshape(shape)


def limited(x, chroma):
    """Enlarged chroma, nowhere beyond the 3x3 samples around the one that it lies on."""
    p = F.pad(chroma, (1, 1, 1, 1), mode="replicate")
    low, high = (F.interpolate(v, scale_factor=2) for v in (-F.max_pool2d(-p, 3, 1), F.max_pool2d(p, 3, 1)))
    return torch.minimum(torch.maximum(x, low), high)


def filtered(chroma, centred=False):
    """What src/stages/upscale.c makes of it, limit included, without its roundings."""
    h, w = chroma.shape[2:]
    x = F.pad(chroma, (4, 4, 4, 4), mode="replicate")
    x = interleaved(*(sum(t / 16384 * x[:, :, k + n : k + n + h] for k, t in enumerate(CENTRED[n])) for n in (0, 1)), 2)
    across = CENTRED if centred else COSITED
    x = interleaved(*(sum(t / 16384 * x[..., k + n : k + n + w] for k, t in enumerate(across[n])) for n in (0, 1)), 3)
    return limited(x, chroma)


def bilinear(x, centred):
    h, w = x.shape[2:]
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = interleaved((x[:, :, :h] + x[:, :, 1 : h + 1] * 3) / 4, (x[:, :, 1 : h + 1] * 3 + x[:, :, 2:]) / 4, 2)
    left, right = (1 / 4, 1 / 4) if centred else (1 / 8, 3 / 8)  # parts of the samples beside
    return interleaved(*(torch.lerp(x[..., 1 : w + 1], v, part) for v, part in ((x[..., :w], left), (x[..., 2:], right))), 3)


def guided(plain, chroma, luma, centred=False):
    """What src/stages/guide.c makes of filtered chroma with strength 1 and no noise, without its roundings."""
    small = halved(luma, centred=centred)
    h, w = chroma.shape[2:]
    around, chroma_around = (F.pad(v, (1, 1, 1, 1), mode="replicate") for v in (small, chroma))
    sums = [0.0] * 5
    for y in range(3):
        for x in range(3):
            weight = (2 - abs(x - 1)) * (2 - abs(y - 1))
            l = around[..., y : y + h, x : x + w] - small
            c = chroma_around[..., y : y + h, x : x + w] - chroma
            sums = [s + weight * v for s, v in zip(sums, (l, c, l * l, c * c, l * c))]
    l, c, ll, cc, lc = sums
    both = 16 * lc - l * c
    size = both / (16 * ll - l * l + 1024)
    part = both * size / (16 * cc - c * c + 256)
    slope = torch.clamp(size * part * part, -2, 2)
    there = luma  # where the enlarged chroma lies
    if not centred:
        before = F.pad(luma, (1, 0, 0, 0), mode="replicate")
        there = (before[..., :-1] + 3 * before[..., 1:]) / 4
    return limited(plain + bilinear(slope, centred) * (there - bilinear(small, centred)), chroma)
