#!/usr/bin/env python3
"""Writes networks of the size of a bundled one, for a float runtime to be timed with.

    rivals.py NAME.npz FOLDER

FOLDER/float.onnx: the same convolutions in 32-bit floating point, with ReLU between them.
FOLDER/int8.onnx:  the same with 8-bit activations and weights (QLinearConv), first and last layer
                   too. Both: x [N,1,H,W] -> y [N,1,2H,2W], float32. Weights are random: what they
say is not looked at, only how long it takes.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value, kind):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def add(self, kind, *inputs, to=None, **attributes):
        to = to or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [to], **attributes))
        return to

    def save(self, path):
        shapes = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in
                  (("x", ["n", 1, "h", "w"]), ("y", ["n", 1, "2h", "2w"]))]
        graph = helper.make_graph(self.nodes, "rival", shapes[:1], shapes[1:], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 7
        onnx.checker.check_model(model)
        onnx.save(model, path)


def float_network(shapes, random):
    g, x = Graph(), "x"
    for i, (o, c, side, _) in enumerate(shapes):
        weights = g.constant(random.normal(0, 0.1, (o, c, side, side)), np.float32)
        x = g.add("Conv", x, weights, g.constant(np.zeros(o), np.float32), pads=[side // 2] * 4)
        if i < len(shapes) - 1:
            x = g.add("Relu", x)
    g.add("DepthToSpace", x, to="y", blocksize=2, mode="CRD")
    return g


def int8_network(shapes, random):
    g = Graph()
    scale, zero = g.constant(1 / 255, np.float32), g.constant(0, np.uint8)
    x = g.add("QuantizeLinear", "x", scale, zero)
    for o, c, side, _ in shapes:
        weights = g.constant(random.integers(-127, 128, (o, c, side, side)), np.int8)
        each, none = g.constant(np.full(o, 1 / 127), np.float32), g.constant(np.zeros(o), np.int8)
        x = g.add("QLinearConv", x, scale, zero, weights, each, none, scale, zero,
                  g.constant(np.zeros(o), np.int32), pads=[side // 2] * 4)
    x = g.add("DequantizeLinear", x, scale, zero)
    g.add("DepthToSpace", x, to="y", blocksize=2, mode="CRD")
    return g


def main():
    data = np.load(sys.argv[1])
    layers = sum(name.startswith("weights") for name in data)
    shapes = [data[f"weights{i}"].shape for i in range(layers)]
    random = np.random.default_rng(1)
    float_network(shapes, random).save(f"{sys.argv[2]}/float.onnx")
    int8_network(shapes, random).save(f"{sys.argv[2]}/int8.onnx")
    print("multiplications per input pixel:", sum(int(np.prod(s)) for s in shapes))


main()
