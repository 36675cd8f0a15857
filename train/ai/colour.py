"""Video of 4:2:0, and what the program makes of its chroma without a network, in torch.

Codes of 8 bits, kept in floating point where rounding is not named; BT.709, limited range, chroma sited left. Luma is
[B,1,2h,2w] for chroma [B,2,h,w]; enlarged chroma is [B,2,2h,2w], which is that of a frame of twice the size.
"""
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F

from data import to_code

RED, GREEN, BLUE = 0.2126, 0.7152, 0.0722
BLUE_RANGE, RED_RANGE = 2 * (1 - BLUE), 2 * (1 - RED)  # of B' - Y' and R' - Y'
LUMA_SCALE, CHROMA_SCALE = 219 / 255, 224 / 255
MATRIX = ((RED * LUMA_SCALE, GREEN * LUMA_SCALE, BLUE * LUMA_SCALE),
          tuple(v * CHROMA_SCALE / BLUE_RANGE for v in (-RED, -GREEN, 1 - BLUE)),
          tuple(v * CHROMA_SCALE / RED_RANGE for v in (1 - RED, -GREEN, -BLUE)))
OFFSET = (16.0, 128.0, 128.0)

# The program's filter, taps in 16384ths over -4..3 for the first of two outputs and -3..4 for the second: where chroma
# lies between the luma samples (down), and where it lies on one (across).
CENTRED = ((-506, 951, -1899, 4895, 15086, -2803, 1347, -687), (-687, 1347, -2803, 15086, 4895, -1899, 951, -506))
COSITED = ((-250, 466, -934, 2219, 16178, -1687, 788, -396), (-839, 1625, -3314, 13189, 7808, -2731, 1367, -721))

# How chroma is halved: (across, taps over -3..3; down, taps over -3..4).
DECIMATE = {
    "mean": ((0, 0, 1 / 4, 1 / 2, 1 / 4, 0, 0), (0, 0, 0, 1 / 2, 1 / 2, 0, 0, 0)),
    "cubic": ((-1 / 32, 0, 9 / 32, 16 / 32, 9 / 32, 0, -1 / 32),
              tuple(v / 256 for v in (-3, -9, 29, 111, 111, 29, -9, -3))),
}


@lru_cache
def constant(values, kind, device):
    """A tensor that is made once: nothing is copied to the device while a graph is captured."""
    return torch.tensor(values, dtype=torch.float64).to(device, kind)


def ycc(rgb):
    """R'G'B' [B,3,h,w] -> Y', Cb, Cr, not rounded."""
    matrix, offset = (constant(v, rgb.dtype, rgb.device) for v in (MATRIX, OFFSET))
    return torch.einsum("kc,bchw->bkhw", matrix, rgb) + offset.view(1, 3, 1, 1)


def decimate(x, across, down):
    """[B,C,2h+7,2w+7] -> [B,C,h,w], the first made of what is around sample 3; taps: across [B or 1, 7], down [B or
    1, 8]."""
    h, w = (x.shape[2] - 7) // 2, (x.shape[3] - 7) // 2
    across, down = across.t()[:, :, None, None, None], down.t()[:, :, None, None, None]
    x = sum(across[k] * x[..., k : k + 2 * w - 1 : 2] for k in range(7))
    return sum(down[k] * x[:, :, k : k + 2 * h - 1 : 2] for k in range(8))


def halved(x, way="mean"):
    """[B,C,2h,2w] -> [B,C,h,w], edges repeated."""
    taps = (constant((t,), x.dtype, x.device) for t in DECIMATE[way])
    return decimate(F.pad(x, (3, 4, 3, 4), mode="replicate"), *taps)


def subsampled(rgb):
    """8-bit [2h,2w,3] -> 8-bit luma [2h,2w] and chroma [2,h,w]."""
    x = ycc(torch.from_numpy(rgb.astype(np.float64)).permute(2, 0, 1)[None])
    return tuple(to_code(v[0]).numpy().astype(np.uint8) for v in (x[:, 0], halved(x[:, 1:])))


def interleaved(even, odd, axis):
    shape = list(even.shape)
    shape[axis] *= 2
    return torch.stack((even, odd), axis + 1).reshape(shape)


def limited(x, chroma):
    """Enlarged chroma, nowhere beyond the 3x3 samples around the one that it lies on."""
    p = F.pad(chroma, (1, 1, 1, 1), mode="replicate")
    low, high = (F.interpolate(v, scale_factor=2) for v in (-F.max_pool2d(-p, 3, 1), F.max_pool2d(p, 3, 1)))
    return torch.minimum(torch.maximum(x, low), high)


def filtered(chroma):
    """What src/stages/upscale.c makes of it, limit included, without its roundings."""
    h, w = chroma.shape[2:]
    x = F.pad(chroma, (4, 4, 4, 4), mode="replicate")
    x = interleaved(*(sum(t / 16384 * x[:, :, k + n : k + n + h] for k, t in enumerate(CENTRED[n])) for n in (0, 1)), 2)
    x = interleaved(*(sum(t / 16384 * x[..., k + n : k + n + w] for k, t in enumerate(COSITED[n])) for n in (0, 1)), 3)
    return limited(x, chroma)


def bilinear(x):
    h, w = x.shape[2:]
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = interleaved((x[:, :, :h] + x[:, :, 1 : h + 1] * 3) / 4, (x[:, :, 1 : h + 1] * 3 + x[:, :, 2:]) / 4, 2)
    return interleaved((x[..., :w] + x[..., 1 : w + 1] * 7) / 8, (x[..., 1 : w + 1] * 5 + x[..., 2:] * 3) / 8, 3)


def guided(plain, chroma, luma):
    """What src/stages/guide.c makes of filtered chroma with strength 1 and no noise, without its roundings."""
    small = halved(luma)
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
    before = F.pad(luma, (1, 0, 0, 0), mode="replicate")
    there = (before[..., :-1] + 3 * before[..., 1:]) / 4  # luma where the enlarged chroma lies
    return limited(plain + bilinear(slope) * (there - bilinear(small)), chroma)
