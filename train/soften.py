"""Soft originals: most anime was drawn small and enlarged, or photographed, or is out of focus.

Used by ai/train.py and shader/train.py. Pictures are 8-bit luma. Needs numpy and PIL.
"""
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

REDUCE = (Image.BOX, Image.BICUBIC, Image.LANCZOS, Image.BILINEAR)
ENLARGE = (Image.BICUBIC, Image.LANCZOS, Image.BILINEAR)
# kind: share of the softened pictures
SOFT = {"enlarged": 0.62, "blurred": 0.12, "enlarged, blurred": 0.08, "depth": 0.10, "titled": 0.08}


def factor(rng):
    """Of its size an original was drawn at: 540 to 900 of 1080 lines as a rule, anything in a third of them."""
    return rng.uniform(0.35, 0.97) if rng.random() < 1 / 3 else min(max(rng.normal(0.7, 0.1), 0.35), 0.97)


def enlarged(p, rng):
    """Drawn smaller and enlarged."""
    h, w = p.shape
    f = factor(rng)
    small = Image.fromarray(p).resize((max(round(w * f), 8), max(round(h * f), 8)), REDUCE[rng.choice(4, p=(0.35, 0.3, 0.2, 0.15))])
    return np.asarray(small.resize((w, h), ENLARGE[rng.choice(3, p=(0.45, 0.25, 0.3))]))


def blurred(p, rng, least=0.4, most=1.6):
    radius = math.exp(rng.uniform(math.log(least), math.log(most)))
    size = math.ceil(3 * radius)
    k = np.exp(-0.5 * (np.arange(-size, size + 1) / radius) ** 2)
    k /= k.sum()
    x = np.pad(p, size, "edge").astype(np.float32)
    x = sum(c * x[i : i + p.shape[0]] for i, c in enumerate(k))
    x = sum(c * x[:, i : i + p.shape[1]] for i, c in enumerate(k))
    return np.clip(x + 0.5, 0, 255).astype(np.uint8)


def field(shape, rng, cells):
    """A smooth random picture of 0..1."""
    small = rng.random((cells + 1, cells + 1)).astype(np.float32)
    big = np.asarray(Image.fromarray(small).resize(shape[::-1], Image.BICUBIC))
    return np.clip((big - 0.35) * 3.3, 0, 1)


def soften(p, rng):
    """One of the ways an original is soft."""
    kind = list(SOFT)[rng.choice(len(SOFT), p=np.array(list(SOFT.values())) / sum(SOFT.values()))]
    if kind == "blurred":
        return blurred(p, rng)
    if kind == "depth":  # in focus here, not there
        m = field(p.shape, rng, int(rng.integers(2, 6)))
        return np.clip(m * p + (1 - m) * blurred(p, rng, 0.8, 4) + 0.5, 0, 255).astype(np.uint8)
    soft = enlarged(p, rng)
    if kind == "enlarged, blurred":
        return blurred(soft, rng, 0.4, 1)
    if kind == "titled":  # sharp titles over a soft picture
        h, w = p.shape
        top, left = int(rng.integers(0, h // 2)), int(rng.integers(0, w // 2))
        soft = soft.copy()
        soft[top : top + h // 3, left : left + w // 2] = p[top : top + h // 3, left : left + w // 2]
    return soft


def softened(pictures, each, seed):
    """`each` soft versions of every picture."""
    with ThreadPoolExecutor() as pool:
        jobs = [(p, np.random.default_rng((seed, n, k))) for n, p in enumerate(pictures) for k in range(each)]
        return list(pool.map(lambda job: soften(*job), jobs))


def filtered(distance, shape):
    """Weights of a resampling filter as PIL has them, at distances in samples of the coarser grid."""
    x = np.abs(distance)
    if shape == Image.BOX:
        return ((distance > -0.5) & (distance <= 0.5)).astype(float)
    if shape == Image.BILINEAR:
        return np.clip(1 - x, 0, None)
    if shape == Image.BICUBIC:
        near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
        return np.where(x < 1, near, np.where(x < 2, far, 0))
    return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0)


def resampling(side, f, phase, reduce, enlarge):
    """Matrix [side, side]: every sample of a row, reduced to f of its length and enlarged again."""
    large = np.arange(side) + 0.5
    small = (np.arange(-4, math.ceil(side * f) + 4) + phase) / f  # where the small samples lie
    d = (large[None] - small[:, None]) * f
    down, up = filtered(d, reduce), filtered(d, enlarge).T
    inside = down.sum(1) > 0.5
    down, up = down[inside], up[:, inside]
    return (up / up.sum(1, keepdims=True)) @ (down / down.sum(1, keepdims=True))


def blurring(side, radius):
    d = np.arange(side)
    k = np.exp(-0.5 * ((d[:, None] - d[None]) / radius) ** 2)
    return k / k.sum(1, keepdims=True)


def soft_matrices(side, count=512, seed=7):
    """Ways a piece of a picture is soft: (count matrices for its rows and columns, [side, 6] that makes a
    smooth random field of 6 x 6 numbers). What soften() does, apart from "depth" and "titled"."""
    rng = np.random.default_rng(seed)
    out = []
    for n in range(count):
        kind = rng.random()
        if kind < 0.15:
            k = blurring(side, math.exp(rng.uniform(math.log(0.4), math.log(1.6 if n % 3 else 4))))
        else:
            k = resampling(side, factor(rng), rng.random(), REDUCE[rng.choice(4, p=(0.35, 0.3, 0.2, 0.15))],
                           ENLARGE[rng.choice(3, p=(0.45, 0.25, 0.3))])
        if kind > 0.9:
            k = blurring(side, math.exp(rng.uniform(math.log(0.4), 0))) @ k
        out.append(k)
    x = (np.arange(side) + 0.5) / side * 6 - 0.5
    field = filtered(x[:, None] - np.arange(6)[None], Image.BICUBIC)
    return np.stack(out).astype(np.float32), (field / field.sum(1, keepdims=True)).astype(np.float32)


def as_judged(p, factor):
    """Reduced to a factor and enlarged again, as tools that measure quality do it."""
    h, w = p.shape
    small = Image.fromarray(p).resize((round(w * factor), round(h * factor)), Image.BOX)
    return np.asarray(small.resize((w, h), Image.BICUBIC))
