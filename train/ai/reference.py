"""What a model computes, in integers with NumPy and nothing else: the engine's golden results.

    reference.py                          prints the checksums in tests/unit/test_net.c
    reference.py MODEL.npz IN.png OUT.png doubles a grey picture of 8 bits by a network of luma (needs Pillow)
"""
import glob
import os
import sys

import numpy as np

from pack import DOWN, UP, checksum, is_chroma, layers

TAPS = np.array([[-3, 29, 111, -9, 0], [0, -9, 111, 29, -3]], np.int64)


def convolve(x, weights):
    """x [C,h,w], only where the kernel fits. Float64 holds these integers exactly, and NumPy multiplies it faster."""
    k = weights.shape[2]
    h, w = x.shape[1] - k + 1, x.shape[2] - k + 1
    x, out = x.astype(np.float64), np.zeros((weights.shape[0], h, w))
    for r in range(k):
        for c in range(k):
            out += np.tensordot(weights[:, :, r, c].astype(np.float64), x[:, r : r + h, c : c + w], 1)
    return out.astype(np.int64)


def shuffle(x):
    """[4C,h,w] to [C,2h,2w]: channel 4c + 2p + q to row 2y + p and column 2x + q of c."""
    c, h, w = x.shape
    return x.reshape(c // 4, 2, 2, h, w).transpose(0, 3, 1, 4, 2).reshape(c // 4, 2 * h, 2 * w)


def margin(chain):
    """(samples around the picture that are more than a result depends on, what they are a multiple of)."""
    unit = most = 1
    reach = 0
    for layer in chain:
        unit = 2 * unit if layer.kind == DOWN else unit // 2 if layer.kind == UP else unit
        reach += layer.weights.shape[2] // 2 * (unit // 2 if layer.kind == DOWN else unit) + unit * (layer.kind == UP)
        most = max(most, unit)
    return -(-max(reach, 2) // most) * most, most


def differences(chain, x):
    """The last layer's result for samples [C,h,w] less 16384. h and w: multiples of what margin() says. Layers keep
    their size; what they lack at the edges reads as 0, which only what lies in the margin depends on."""
    made = []
    for layer in chain:
        half = layer.weights.shape[2] // 2
        x = convolve(np.pad(x, ((0, 0), (half, half), (half, half))), layer.weights)
        if layer.kind == DOWN:
            x = x[:, ::2, ::2]
        x = (x + layer.bias[:, None, None]) >> layer.shift[:, None, None]
        if layer.kind == UP:
            x = shuffle(x)
        if layer.skip:
            x = x + made[layer.skip - 1]
        if layer is not chain[-1]:
            x = np.clip(x, 0, 255)
        made.append(x)
    return x


def continued(chain, planes):
    """(planes [C,h,w] less 16384 as a network wants them, with the margin around; how to cut it off again, but for `more`
    samples)."""
    h, w = planes.shape[1:]
    around, unit = margin(chain)
    sides = ((0, 0), (around, around + -h % unit), (around, around + -w % unit))
    inside = lambda x, more=0: x[:, around - more : around + h + more, around - more : around + w + more]
    return np.pad(planes.astype(np.int64), sides, mode="edge") - 16384, inside


def limited(x):
    return np.clip(x, 0, 32767).astype("<u2")


def double(chain, samples):
    """samples [h,w] of 15 bits -> [2h,2w]."""
    x, inside = continued(chain, samples[None])
    kernel = np.stack([np.outer(TAPS[y], TAPS[c]) for y in (0, 1) for c in (0, 1)])[:, None]
    base = ((convolve(inside(x, 2), kernel) + 8192) >> 14) + 16384
    return limited(shuffle(base + inside(differences(chain, x)))[0])


def chroma_differences(chain, luma, chroma, made=differences):
    """What a network of chroma adds to enlarged chroma: luma [h,w], chroma [2,ceil(h/2),ceil(w/2)] -> [2,h,w]."""
    h, w = luma.shape
    even = np.pad(luma, ((0, h % 2), (0, w % 2)), mode="edge")
    x, inside = continued(chain, np.stack([*(even[y::2, c::2] for y in (0, 1) for c in (0, 1)), *chroma]))
    return shuffle(inside(made(chain, x)))[:, :h, :w]


def repeated(x, h, w):
    """[C,ceil(h/2),ceil(w/2)] -> [C,h,w], every sample four times."""
    return x.repeat(2, 1).repeat(2, 2)[:, :h, :w]


def chroma_limits(chroma):
    """The range of the 3x3 samples around each, and half as much more on both sides."""
    h, w = chroma.shape[1:]
    x = np.pad(chroma.astype(np.int64), ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = [x[:, r : r + h, c : c + w] for r in range(3) for c in range(3)]
    low, high = np.min(around, 0), np.max(around, 0)
    more = (high - low) >> 1
    return low - more, high + more


def double_chroma(chain, luma, chroma, base, made=differences):
    """base [2,h,w]: chroma as a filter has enlarged it -> the same with what luma tells."""
    low, high = (repeated(x, *luma.shape) for x in chroma_limits(chroma))
    return limited(np.clip(base + chroma_differences(chain, luma, chroma, made), low, high))


def drawn(width, height):
    """The picture that tests/unit/test_net.c draws: ramps, a disc, lines and noise."""
    y, x = np.mgrid[0:height, 0:width]
    v = (x * 307 + y * 211) % 32768
    v = np.where((x - 20) ** 2 + (y - 15) ** 2 < 120, 31000, v)
    v = np.where((x + 2 * y) % 37 < 3, 1500, v)
    noise = (x * 7919 + y * 104729 + x * y * 31) % 8191
    return np.where(x > 40, (v // 4 + noise * 3) % 32768, v)


def drawn_chroma(width, height):
    """Luma, chroma of half its size and enlarged chroma, which tests/unit/test_net.c draws for networks of chroma."""
    small = drawn((width + 1) // 2, (height + 1) // 2)
    chroma = np.stack([small[::-1], 32767 - small])
    return drawn(width, height), chroma, repeated(chroma, height, width)


def golden(name, chain, width, height):
    """A line of tests/unit/test_net.c."""
    made = double_chroma(chain, *drawn_chroma(width, height)) if is_chroma(chain) else double(chain, drawn(width, height))
    text = checksum(made.tobytes())
    return f'    {{"{name}", {width}, {height}, "{text[15:7:-1].hex()}{text[7::-1].hex()}"}},'


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    if len(sys.argv) == 4:
        from PIL import Image

        small = np.asarray(Image.open(sys.argv[2]).convert("L")).astype(np.int64) << 7
        big = double(layers(sys.argv[1]), small).astype(np.int64)
        Image.fromarray(np.clip(big + 64 >> 7, 0, 255).astype(np.uint8)).save(sys.argv[3])
        return
    sizes = ((67, 41), (1, 1), (3, 50), (509, 9)), ((67, 41), (1, 1), (4, 50), (1019, 9))  # of luma, of chroma
    counts = {"anime-fast": 4, "anime-quality": 4, "anime-best": 2, "anime-chroma": 4}  # others are large: 1
    for path in sorted(glob.glob(os.path.join(here, "../../models/*.npz"))):
        name = os.path.basename(path).removesuffix(".npz")
        chain = layers(path)
        for size in sizes[is_chroma(chain)][: counts.get(name, 1)]:
            print(golden(name, chain, *size))


if __name__ == "__main__":
    main()
