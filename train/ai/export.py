"""Writes ONNX models from the integers of the .npz: export.py NAME.npz...

NAME.onnx: x [N,1,H,W] luma, 0..1 for codes 0..255 of 8 bits -> y [N,1,2H,2W], float32, any size. Of a network of chroma:
luma [N,1,2H,2W] and chroma [N,2,H,W], 0..1 for codes 0..255 -> y [N,2,2H,2W], what is added to enlarged chroma.

Weights are integers of 8 bits, or 16 in the first layer, made into numbers by a Cast.
Standard operators on whole numbers that a float32 holds: every sum stays below 2^24 (asserted), so a
runtime that adds in any order gives the integers of the engine, and y is the engine's sample of
15 bits / 32640, limited to 0..1, or its difference / 32640, not limited.
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pack import DOWN, UP, is_chroma, layers
from reference import TAPS, margin

EXACT = 1 << 24
CODES = 255 << 7  # the working sample of code 255
SPLIT = 4096
PART = 128  # the same for the first layer, whose sums can pass EXACT


class Graph:
    """Nodes in a row: every call adds one and names its result."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def weights(self, value):
        """Whole numbers, kept small in the file: the runtime makes numbers of them when it loads it."""
        kind = np.int8 if np.abs(value).max() < 128 else np.int16
        return self.add("Cast", self.constant(value, kind), to=TensorProto.FLOAT)

    def constant(self, value, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def add(self, kind, *inputs, named=None, **attributes):
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        named = named or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [named], **attributes))
        return named

    def floor_of(self, x, divisor):
        """divisor: powers of two, one for all or one per channel."""
        return self.add("Floor", self.add("Mul", x, 1 / np.asarray(divisor, np.float64)))

    def pad(self, x, size, more=None):
        """more: rows and columns at the end beside, the name of two integers or None."""
        around = self.constant([0, 0, size, size, 0, 0, size, size], np.int64)
        if more:
            none = self.constant([0] * 6, np.int64)
            around = self.add("Add", around, self.add("Concat", none, more, axis=0))
        return self.add("Pad", x, around, mode="edge")


def split(g, x, unit):
    """x = unit * high + low, whole numbers."""
    high = g.floor_of(x, unit)
    return high, g.add("Sub", x, g.add("Mul", high, unit))


def convolve(g, x, weights, limit, bias=None, **attributes):
    """limit: of the magnitude of x."""
    sums = np.abs(weights.astype(np.int64)).sum((1, 2, 3)) * limit
    if bias is not None:
        sums = sums + np.abs(bias.astype(np.int64))
    assert sums.max() < EXACT, sums.max()
    inputs = [x, g.weights(weights)] + ([] if bias is None else [bias])
    return g.add("Conv", *inputs, kernel_shape=weights.shape[2:], **attributes)


def first(g, x, layer, **attributes):
    """The first layer: its sums, which can pass EXACT, in two parts, of which the second is a part of the whole."""
    assert (np.abs(layer.weights.astype(np.int64)).sum((1, 2, 3)) * 16384 + np.abs(layer.bias)).max() < EXACT * PART
    high, low = split(g, x, PART)
    carry = g.floor_of(convolve(g, low, layer.weights, PART, layer.bias, **attributes), PART)
    x = g.add("Add", convolve(g, high, layer.weights, 16384 // PART, **attributes), carry)
    scale = 2.0 ** layer.shift[:, None, None] / PART
    assert (scale >= 1).all()
    return g.floor_of(x, scale)


def network(g, x, chain, sized):
    """The differences of every sample. sized: layers keep their size, else they shrink by their kernel."""
    made = []
    for i, layer in enumerate(chain):
        half = layer.weights.shape[2] // 2
        attributes = {"pads": [half] * 2 + [half - (layer.kind == DOWN)] * 2} if sized and half else {}
        if layer.kind == DOWN:
            attributes["strides"] = [2, 2]
        if i == 0:
            x = first(g, x, layer, **attributes)
        else:
            x = convolve(g, x, layer.weights, 255, layer.bias, **attributes)
            x = g.floor_of(x, 2.0 ** layer.shift[:, None, None])
        if layer.kind == UP:
            x = g.add("DepthToSpace", x, blocksize=2, mode="CRD")
        if layer.skip:
            x = g.add("Add", x, made[layer.skip - 1])
        if i < len(chain) - 1:
            x = g.add("Clip", x, 0, 255)
        made.append(x)
    return x


def branched(g, centred, chain):
    """The same for a network with skips or several resolutions: the picture is continued until it is a multiple of the
    coarsest one's samples, and what was continued is cut off in the end."""
    around, unit = margin(chain)
    size = g.add("Slice", g.add("Shape", centred), *(g.constant([n], np.int64) for n in (2, 4)))
    groups = g.add("Div", g.add("Add", size, g.constant([unit - 1], np.int64)), g.constant([unit], np.int64))
    more = g.add("Sub", g.add("Mul", groups, g.constant([unit], np.int64)), size)
    # `more` is for the ends of rows and columns, which stand last
    x = network(g, g.pad(centred, around, more), chain, True)
    start = g.constant([around, around], np.int64)
    return g.add("Slice", x, start, g.add("Add", size, start), g.constant([2, 3], np.int64))


def interpolation(g, x):
    """The four outputs of every sample less 16384. Sums over columns fit, those over rows of
    them would not: they are taken in two parts."""
    high, low = split(g, convolve(g, x, TAPS[:, None, :, None], 16384), SPLIT)
    kernel = np.zeros((4, 2, 1, 5))
    for y in (0, 1):
        for c in (0, 1):
            kernel[2 * y + c, y, 0] = TAPS[c]
    half = np.full(4, 8192)
    carry = g.floor_of(convolve(g, low, kernel, SPLIT, half), SPLIT)
    return g.floor_of(g.add("Add", convolve(g, high, kernel, EXACT // SPLIT), carry), 16384 // SPLIT)


def centred(g, *planes):
    """What layers read: working samples less 16384, of planes with codes of 0..1."""
    x = g.add("Concat", *planes, axis=1) if len(planes) > 1 else planes[0]
    codes = g.add("Clip", g.add("Round", g.add("Mul", x, CODES)), 0, 32767)
    return g.add("Sub", codes, 16384)


def differences(g, x, chain):
    if any(layer.kind or layer.skip for layer in chain):
        return branched(g, x, chain)
    return network(g, g.pad(x, sum(layer.weights.shape[2] // 2 for layer in chain)), chain, False)


def luma(g, chain):
    x = centred(g, "x")
    added = differences(g, x, chain)
    big = g.add("Add", g.add("Add", interpolation(g, g.pad(x, 2)), added), 16384)
    y = g.add("Clip", g.add("Div", big, CODES), 0, 1)
    g.add("DepthToSpace", y, named="y", blocksize=2)
    return {"x": (1, "h", "w")}, {"y": (1, "2h", "2w")}


def chroma(g, chain):
    x = centred(g, g.add("SpaceToDepth", "luma", blocksize=2), "chroma")
    y = g.add("Div", differences(g, x, chain), CODES)
    g.add("DepthToSpace", y, named="y", blocksize=2, mode="CRD")
    return {"luma": (1, "2h", "2w"), "chroma": (2, "h", "w")}, {"y": (2, "2h", "2w")}


def export(chain, name):
    g = Graph()
    inputs, outputs = ([helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", *shape]) for n, shape in named.items()]
                       for named in (chroma if is_chroma(chain) else luma)(g, chain))
    model = helper.make_model(helper.make_graph(g.nodes, name, inputs, outputs, g.constants),
                              opset_imports=[helper.make_opsetid("", 13)], producer_name="kizunasr")
    model.ir_version = 7
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    for path in sys.argv[1:]:
        name = path.removesuffix(".npz")
        onnx.save(export(layers(path), name.rsplit("/", 1)[-1]), name + ".onnx")
