#!/usr/bin/env python3
"""Networks of several resolutions, and of chroma, with random weights, for tests.

  networks.py SOURCE_FOLDER   writes tests/fuzz/corpus/model/resolutions, chroma, chroma_halved and variants, and
                              prints what train/ai/reference.py makes with all but the last, for tests/unit/test_net.c
"""
import os, sys

import numpy as np

# kind, inputs, outputs, side, skip (1 + index of the layer)
SMALL = [("conv", 1, 16, 3, 0), ("down", 16, 48, 3, 0), ("conv", 48, 48, 1, 2), ("down", 48, 32, 3, 0),
         ("conv", 32, 32, 3, 0), ("up", 32, 48, 1, 2), ("conv", 48, 48, 1, 0), ("up", 48, 16, 1, 1),
         ("conv", 16, 4, 3, 0)]
NETWORKS = {
    "resolutions": SMALL,
    "eighth": [("conv", 1, 16, 5, 0), ("down", 16, 16, 3, 0), ("down", 16, 32, 3, 0), ("down", 32, 16, 3, 0),
               ("up", 16, 32, 1, 3), ("up", 32, 16, 1, 0), ("conv", 16, 16, 3, 2), ("up", 16, 16, 1, 0),
               ("conv", 16, 4, 1, 0)],
    "skips": [("conv", 1, 16, 5, 0), ("conv", 16, 16, 3, 1), ("conv", 16, 16, 3, 1), ("conv", 16, 4, 3, 0)],
    "widths": [("conv", 1, 32, 1, 0), ("conv", 32, 16, 3, 0), ("conv", 16, 4, 3, 0)],
    "chroma": [("conv", 6, 16, 3, 0), ("conv", 16, 16, 3, 0), ("conv", 16, 8, 3, 0)],
    "chroma_halved": [("conv", 6, 16, 5, 0), ("down", 16, 32, 3, 0), ("conv", 32, 32, 3, 2), ("up", 32, 16, 1, 1),
                      ("conv", 16, 8, 1, 0)],
}
IN_CORPUS = {"resolutions": (1023, 5), "chroma": (1019, 9), "chroma_halved": (2043, 5)}  # a size wider than a strip


def draw(name):
    """The layers of a network. Its sums fit what the ONNX form wants, and few activations are at a limit."""
    from pack import CONV, DOWN, UP, Layer

    random = np.random.RandomState(sum(name.encode()))
    kinds = {"conv": CONV, "down": DOWN, "up": UP}
    chain = []
    for i, (kind, inputs, outputs, side, skip) in enumerate(NETWORKS[name]):
        channels = outputs * (4 if kind == "up" else 1)
        most, last = 127 if i else 40, i == len(NETWORKS[name]) - 1
        weights = random.randint(-most, most + 1, (channels, inputs, side, side))
        sums = 0.58 * most * (100 if i else 9000) * np.sqrt(inputs) * side  # their usual size
        shift = np.round(np.log2(sums / (2000 if last else 80)) + random.uniform(-0.5, 0.5, channels)).astype(int)
        bias = ((0 if last else 100) << shift) + random.randint(-1000, 1000, channels)
        chain.append(Layer(weights, bias, shift, kinds[kind], skip))
    return chain


def variants():
    """The files of a network with two variants and of one that chooses, by their names."""
    from pack import pack

    chain = draw("skips")
    return {"general": pack(chain), "turned": pack([layer._replace(weights=-layer.weights) for layer in chain]),
            "auto": pack(draw("widths"))}


def main():
    source = os.path.abspath(sys.argv[1])
    sys.path.insert(0, os.path.join(source, "train/ai"))
    from pack import join, pack
    from reference import golden

    files = {name: pack(draw(name)) for name in IN_CORPUS}
    for name, data in (files | {"variants": join(variants())}).items():
        with open(os.path.join(source, "tests/fuzz/corpus/model", name), "wb") as f:
            f.write(data)
    for name, wide in IN_CORPUS.items():
        for size in ((67, 41), (1, 1), (4, 50) if name.startswith("chroma") else (3, 50), wide):
            print(golden(name, draw(name), *size))


if __name__ == "__main__":
    main()
