#!/usr/bin/env python3
"""Trains the filter bank of the shader mode's luma upscaler and writes it as C data.

  train.py PICTURES --output FOLDER [--samples 900000]

PICTURES is a folder of pictures. Each is reduced to luma (BT.709, 8 bits) and by two with a box and
with a bicubic kernel; a third as many samples come from the same small pictures coded as JPEG. Every
sixth picture is held back, and the last line printed says how the bank does on those.

What is learned: the order of splits that tells a sample's class, grown one split at a time, each the
one that lowers the squared error most when either side gets its own filter; and the filters, by
weighted least squares. A picture weighs the inverse of its error under Lanczos, so hard pictures do
not drown the others, as in a mean of decibels. Ramps in all directions are added with a great weight,
so that classes which see ramps keep them straight. A sample close to the threshold of a split counts
in the classes on both sides, so that neighbours in different classes fit together; and the filters are
fitted again where the limits on what they give are known, so that they spend nothing on what is cut
off anyway. The arithmetic of the features is that of src/stages/learned.c, to the bit. Needs
python3-numpy and python3-pil; no GPU.
"""
import argparse, heapq, io, math, os, sys
import numpy as np
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from soften import as_judged, softened

KERNELS = (Image.BOX, Image.BICUBIC)
TAPS = [i for i in range(25) if i != 12]  # the 5x5 samples around, row by row, without the middle
CLASSES = 32
BITS = 13                                  # fraction bits of a filter's coefficients
RADIUS = 4                                 # of the window in which gradients are summed
CODED = 0.6                                # weight of coded pictures, beside their smaller number
EASY = 8                                   # squared codes: no picture counts as if Lanczos erred less
FUZZ = 0.01                                # of the range: how far a threshold counts on both sides
MARGIN = 3 / 16                            # of the neighbours' range, as in learned.c
CUT = 0.5                                  # weight of what a limit cuts that should not be


def luma(path):
    im = Image.open(path).convert("RGB")
    w, h = (n // 4 * 4 for n in im.size)
    rgb = np.asarray(im.crop((0, 0, w, h))).astype(np.float32)
    return np.clip(rgb @ np.array([.2126, .7152, .0722], np.float32) + .5, 0, 255).astype(np.uint8)


# --- Orientation and features, as in learned.c ---

def orientation(small):
    """Returns per sample: transpose * 4 + flip_y * 2 + flip_x."""
    # Gradients of the padded picture are those of replicated edges, as in C.
    a = np.pad((small.astype(np.int64) * 128 + 8) >> 4, RADIUS + 1, "edge")
    gx, gy = a[1:-1, 2:] - a[1:-1, :-2], a[2:, 1:-1] - a[:-2, 1:-1]
    n = 2 * RADIUS + 1
    flat, slope = [1] * n, list(range(-RADIUS, RADIUS + 1))

    def total(v, wy, wx):
        h, w = small.shape
        rows = sum(c * v[i:i + h] for i, c in enumerate(wy))
        return sum(c * rows[:, i:i + w] for i, c in enumerate(wx))

    energy = gx * gx + gy * gy
    transpose = total(gx * gx - gy * gy, flat, flat) < 0
    falling = total(gx * gy, flat, flat) < 0
    side = np.where(transpose, total(energy, slope, flat), total(energy, flat, slope)) < 0
    other = side ^ falling
    flip_x, flip_y = np.where(transpose, other, side), np.where(transpose, side, other)
    return (transpose * 4 + flip_y * 2 + flip_x).astype(np.uint8).ravel()


def symmetries(n):
    out = []
    for s in range(8):
        i = np.arange(n * n).reshape(n, n)
        if s & 1:
            i = i[:, ::-1]
        if s & 2:
            i = i[::-1]
        if s & 4:
            i = i.T
        out.append(i.ravel())
    return np.array(out)


PATCH, PHASE = symmetries(5), symmetries(2)


def features(d):
    """d: (n, 25) differences to the middle, turned. Returns (name -> numerators, range)."""
    d = d.astype(np.int32)
    at = lambda y, x: d[:, (y + 2) * 5 + x + 2]
    left, right, up, down = at(0, -1), at(0, 1), at(-1, 0), at(1, 0)
    sign = np.where(right - left >= 0, 1, -1)
    inner = d.reshape(-1, 5, 5)[:, 1:4, 1:4].reshape(-1, 9)
    below3, above3 = -inner.min(1), inner.max(1)
    below5, above5 = -d.min(1), d.max(1)
    across, along = (sign * (left + right)) >> 1, (sign * (up + down)) >> 1
    f = {
        "INNER_DEPTH": np.minimum(below3, above3), "OUTER_DEPTH": np.minimum(below5, above5),
        "INNER_RANGE": below3 + above3,
        "LEFT": -left * sign, "RIGHT": right * sign,
        "FAR_RIGHT": (at(0, 2) - right) * sign, "FAR_LEFT": (left - at(0, -2)) * sign,
        "ACROSS": across, "ALONG": along, "ALONG_SIZE": np.abs(along),
        "LAPLACE": np.abs((across + along) >> 1),
        "SLOPE": np.abs(right - left), "SLOPE_Y": (down - up) * sign,
        "TOP_LEFT": at(-1, -1) * sign, "TOP_RIGHT": at(-1, 1) * sign,
        "BOTTOM_LEFT": at(1, -1) * sign, "BOTTOM_RIGHT": at(1, 1) * sign,
        "UP": up * sign, "DOWN": down * sign,
        "DIAGONAL": np.abs((sign * (at(1, 1) + at(-1, -1))) >> 1),
        "DIAGONAL_2": np.abs((sign * (at(1, -1) + at(-1, 1))) >> 1),
    }
    return f, below5 + above5


def above(numerator, span, threshold):
    """The test of a split: threshold in 1/32768 of the 5x5 range."""
    return numerator >= (threshold * span + 16384) >> 15


# --- Samples ---

def samples_of(hr, count, rng, jpeg, worth):
    for kernel in KERNELS:
        clean = Image.fromarray(hr).resize((hr.shape[1] // 2, hr.shape[0] // 2), kernel)
        lanczos = np.asarray(clean.resize(hr.shape[::-1], Image.LANCZOS)).astype(np.float32)
        error = float(((lanczos - hr) ** 2).mean())
        for share in (1, 1 / 3) if jpeg else (1,):
            small = clean
            if share != 1:
                coded = io.BytesIO()
                clean.save(coded, "JPEG", quality=int(rng.integers(75, 96)))
                small = Image.open(coded).convert("L")
            small = np.asarray(small)
            around = np.pad(small, 2, "edge")
            busy = np.flatnonzero(sum(np.abs(around[2 + y:2 + y + small.shape[0], 2 + x:2 + x + small.shape[1]].astype(int)
                                             - small) for y in (-2, 0, 2) for x in (-2, 0, 2)))
            if len(busy) == 0:
                continue
            pick = rng.choice(busy, min(int(count * share), len(busy)), replace=False)
            turn = orientation(small)[pick]
            y, x = np.divmod(pick, small.shape[1])
            dy, dx = np.divmod(np.arange(25), 5)
            patch = around[y[:, None] + dy, x[:, None] + dx].astype(np.int32) * 128
            want = np.stack([hr[2 * y + j, 2 * x + i] for j in (0, 1) for i in (0, 1)], 1).astype(np.int32) * 128
            patch, want = np.take_along_axis(patch, PATCH[turn], 1), np.take_along_axis(want, PHASE[turn], 1)
            middle = patch[:, 12:13]
            weight = np.full(len(pick), (share if share == 1 else CODED * share) * len(busy) / len(pick) / small.size / (error + EASY), np.float32)
            yield patch - middle, want - middle, weight * worth


def gather(pictures, count, seed, jpeg, worth=1):
    rng, parts = np.random.default_rng(seed), []
    for hr in pictures:
        parts += samples_of(hr, count, rng, jpeg, worth)
    return [np.concatenate(p) for p in zip(*parts)]


def ramps():
    """Patches of straight ramps in turned orientation, and what they should become."""
    y, x = np.divmod(np.arange(25), 5)
    d, want = [], []
    for degrees in np.arange(0, 45.1, 1.0):
        for slope in (3000, -3000):
            # Whole numbers, so that what is equal in a ramp is equal here too.
            gx, gy = round(slope * math.cos(math.radians(degrees))), round(slope * math.sin(math.radians(degrees)))
            d.append(gx * (x - 2) + gy * (y - 2))
            want.append([gx * (i - .5) / 2 + gy * (j - .5) / 2 for j in (0, 1) for i in (0, 1)])
    return np.array(d).astype(np.int32), np.array(want, np.float32)


# --- Least squares ---

def normal_equations(d, want, weight, label, n):
    a, b, s = np.zeros((n, 24, 24)), np.zeros((n, 24, want.shape[1])), np.zeros(n)
    order = np.argsort(label, kind="stable")
    ends = np.searchsorted(label[order], np.arange(n + 1))
    for i in range(n):
        at = order[ends[i]:ends[i + 1]]
        if len(at):
            wd = d[at] * weight[at][:, None]
            a[i], b[i], s[i] = wd.T @ d[at], wd.T @ want[at], (weight[at][:, None] * want[at] ** 2).sum()
    return a, b, s


def solve(a, b, s):
    ridge = 1e-4 * np.trace(a, axis1=1, axis2=2) / 24 + 1e-9
    w = np.linalg.solve(a + ridge[:, None, None] * np.eye(24), b)
    return w, s - 2 * (w * b).sum((1, 2)) + (w * (a @ w)).sum((1, 2))


class Grower:
    def __init__(self, d, want, weight, numerators, span, bins=24):
        self.d, self.want, self.weight, self.numerators, self.span = d, want, weight, numerators, span
        self.thresholds, self.bin = {}, {}
        for name, v in numerators.items():
            ratio = np.clip(np.round(v * 32768.0 / np.maximum(span, 1)), -32767, 32767)
            edges = np.unique(np.quantile(ratio, np.arange(1, bins) / bins).astype(np.int64))
            # The bin is found with the very test that a split will make.
            self.thresholds[name] = edges
            self.bin[name] = sum(above(v.astype(np.int64), span.astype(np.int64), int(t)).astype(np.uint8) for t in edges)

    def best(self, at):
        gain = (0, None, 0)
        d, want, weight = self.d[at], self.want[at], self.weight[at]
        for name, edges in self.thresholds.items():
            a, b, s = (v.cumsum(0) for v in normal_equations(d, want, weight, self.bin[name][at], len(edges) + 1))
            low, high = solve(a[:-1], b[:-1], s[:-1])[1], solve(a[-1] - a[:-1], b[-1] - b[:-1], s[-1] - s[:-1])[1]
            g = solve(a[-1:], b[-1:], s[-1:])[1][0] - low - high
            if g.max() > gain[0]:
                gain = (float(g.max()), name, int(edges[g.argmax()]))
        return gain

    def grow(self, classes):
        label, splits = np.zeros(len(self.d), np.uint8), []
        queue = [(-1, 0, self.best(np.arange(len(label))))]
        while len(splits) + 1 < classes:
            _, old, (gain, name, t) = heapq.heappop(queue)
            new = len(splits) + 1
            splits.append((old, name, t, new))
            move = (label == old) & above(self.numerators[name].astype(np.int64), self.span.astype(np.int64), t)
            label[move] = new
            print(f"split {new}: class {old} by {name} at {t / 32768:.3f}", flush=True)
            for k in (old, new):
                best = self.best(np.flatnonzero(label == k))
                heapq.heappush(queue, (-best[0], k, best))
        return label, splits


def classify(numerators, span, splits):
    label = np.zeros(len(span), np.uint8)
    for old, name, t, new in splits:
        label[(label == old) & above(numerators[name].astype(np.int64), span.astype(np.int64), t)] = new
    return label


def predict(d, label, bank):
    out = np.zeros((len(d), 4), np.float32)
    for k in range(len(bank)):
        out[label == k] = d[label == k] @ bank[k]
    return out


# --- Limits, as in learned.c (without those of black and white, which differences do not know) ---

def limits(d, label, bank):
    """The least and greatest that each output may become, given the others."""
    d = d.reshape(-1, 5, 5).astype(np.float32)
    inner, pairs = d[:, 1:4, 1:4].reshape(-1, 9), [(d[:, 2 - y, 2 - x], d[:, 2 + y, 2 + x])
                                                   for y, x in ((0, 1), (1, 0), (1, 1), (1, -1))]
    valley = np.maximum.reduce([np.minimum(a, b) for a, b in pairs]).clip(0)
    crest = np.minimum.reduce([np.maximum(a, b) for a, b in pairs]).clip(None, 0)
    low, high = inner.min(1) - valley / 2, inner.max(1) - crest / 2
    out = predict(d.reshape(-1, 25)[:, TAPS], label, bank).clip(low[:, None], high[:, None])
    least, most = np.empty_like(out), np.empty_like(out)
    for k in range(4):
        y, x = 1 + (k & 2), 1 + 2 * (k & 1)
        around = [out[:, i] for i in range(4) if i != k] + [d[:, 2, x], d[:, y, 2], d[:, y, x]]
        a, b = np.minimum.reduce(around), np.maximum.reduce(around)
        least[:, k] = np.maximum(a - MARGIN * (b - a), low)
        most[:, k] = np.minimum(b + MARGIN * (b - a), high)
    return least, most


def shares(numerators, span, splits):
    """How much of each sample is in each class."""
    share = np.zeros((len(span), CLASSES), np.float32)
    share[:, 0] = 1
    for old, name, t, new in splits:
        moved = share[:, old] * np.clip(.5 + (numerators[name] / np.maximum(span, 1) - t / 32768) / (2 * FUZZ), 0, 1)
        share[:, new] += moved
        share[:, old] -= moved
    return share


def fit(d, want, weight, share, splits, cut=None):
    """Filters for every class, rounded. cut: the limits, each output's own; what exceeds them weighs less."""
    rd, rwant = ramps()
    rlabel, taps = classify(*features(rd), splits), d[:, TAPS].astype(np.float32)
    bank = np.zeros((CLASSES, 24, 4))
    for phase in range(4):
        a, b, s = np.zeros((CLASSES, 24, 24)), np.zeros((CLASSES, 24, 1)), np.zeros(CLASSES)
        for k in range(CLASSES):
            at = np.flatnonzero(share[:, k] > 1e-4)
            x, y, w = taps[at], want[at, phase].astype(np.float32), share[at, k] * weight[at]
            if cut:
                bank_now, least, most = cut
                got, least, most = x @ bank_now[k, :, phase].astype(np.float32), least[at, phase], most[at, phase]
                w = np.where((got > most) & (y >= most) | (got < least) & (y <= least), 0,
                             np.where((got > most) | (got < least), CUT * w, w))
            a[k:k + 1], b[k:k + 1], s[k:k + 1] = normal_equations(x, y[:, None], w, np.zeros(len(at), np.uint8), 1)
        # Great against the data, but no more than double precision can hold.
        rweight = np.array([1e3 * np.trace(a[k]) / (rd[0].astype(float) ** 2).sum() for k in rlabel]) / len(rd)
        ra, rb, _ = normal_equations(rd[:, TAPS].astype(float), rwant[:, phase:phase + 1], rweight, rlabel, CLASSES)
        bank[:, :, phase:phase + 1] = solve(a + ra, b + rb, s)[0]
    return np.round(bank * (1 << BITS)).astype(np.int64)


def fit_limited(d, want, weight, numerators, span, label, splits):
    """Without limits first, then twice with those of the filters before."""
    share = shares(numerators, span, splits)
    bank = fit(d, want, weight, share, splits)
    for _ in range(2):
        now = bank / (1 << BITS)
        bank = fit(d, want, weight, share, splits, (now, *limits(d, label, now)))
    return bank


NOTE = "// Made by train/shader/train.py and described in train/shader/README.md; not to be edited.\n\n"


def write_splits(path, splits):
    with open(path, "w") as f:
        f.write(NOTE + "// clang-format off\nstatic const struct split splits[] = {\n")
        f.writelines(f"    {{{old}, {name}, {t}, {new}}},\n" for old, name, t, new in splits)
        f.write("};\n")


def write_bank(path, bank):
    with open(path, "w") as f:
        f.write("// The coefficients of the learned filters; see bank.h.\n" + NOTE +
                '#include "stages/bank.h"\n\n// clang-format off\nconst ksr_bank_filters ksr_bank[4] = {\n')
        for phase in range(4):
            f.write("    {\n")
            for k in range(0, 24, 2):
                pairs = ", ".join(f"{{{c[k, phase]}, {c[k + 1, phase]}}}" for c in bank)
                f.write(f"        {{{pairs}}},\n")
            f.write("    },\n")
        f.write("};\n")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("pictures")
    ap.add_argument("--output", required=True, help="folder: src/stages")
    ap.add_argument("--samples", type=int, default=900000, help="about how many, in all")
    ap.add_argument("--worth", type=float, default=1, help="weight of soft pictures beside sharp ones")
    o = ap.parse_args()
    files = sorted(os.listdir(o.pictures))
    held = files[::6]
    load = lambda names: [luma(os.path.join(o.pictures, f)) for f in names]
    learn = load([f for f in files if f not in set(held)])
    count = int(o.samples / len(learn) / 4.67)
    parts = gather(learn, count, 1, True), gather(softened(learn, 1, 1), count, 2, False, o.worth)
    d, want, weight = (np.concatenate(v) for v in zip(*parts))
    numerators, span = features(d)
    label_f = d[:, TAPS].astype(np.float32)
    grower = Grower(label_f, want.astype(np.float32), weight, numerators, span)
    label, splits = grower.grow(CLASSES)

    bank = fit_limited(d, want, weight, numerators, span, label, splits)
    assert np.abs(bank).max() < 1 << 15 and np.abs(bank).sum(1).max() <= 65535, "a sum could overflow"
    write_splits(os.path.join(o.output, "learned_splits.h"), splits)
    write_bank(os.path.join(o.output, "bank_data.c"), bank)

    for factor in (None, 0.667, 0.8):
        judge(load(held), factor, splits, bank / (1 << BITS))


def judge(pictures, factor, splits, bank):
    """Prints how the bank does, against the best single 5x5 filter for just these pictures."""
    if factor:
        pictures = [as_judged(p, factor) for p in pictures]
    d, want, weight = gather(pictures, 6000, 2, False)
    error = lambda p: float((weight[:, None] * (p - want) ** 2).sum())
    taps = d[:, TAPS].astype(np.float32)
    one = solve(*normal_equations(taps, want.astype(np.float32), weight, np.zeros(len(d), np.uint8), 1))[0]
    single = error(predict(taps, np.zeros(len(d), np.uint8), one))
    label = classify(*features(d), splits)
    got = predict(taps, label, bank).clip(*limits(d, label, bank))
    print(f"held-back pictures, {f'softened to {factor}' if factor else 'as they are'}: "
          f"{10 * math.log10(single / error(got)):.3f} dB above the best single filter for them")


if __name__ == "__main__":
    main()
