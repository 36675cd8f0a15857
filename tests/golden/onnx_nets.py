"""Small super-resolution models for tests, each with its evaluation in NumPy.

net() makes one of the shapes in which such models come: conv, relu, conv, pixel shuffle, added to
the picture made larger by repeating samples. Weights come from a fixed seed.

  onnx_nets.py FILE [NAME=VALUE...]    writes one, such as channels=3 scale=4 white=255
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES = 8


class Net:
    """A model: .bytes for a file; called with [C,H,W] of 0..white, gives what it makes of it."""

    def __init__(self, channels=1, scale=2, white=1, half=False, unshuffle=1, fixed=None,
                 strength=0.1, seed=1):
        rng = np.random.default_rng(seed)
        self.channels, self.scale, self.white, self.unshuffle = channels, scale, white, unshuffle
        self.dtype = np.float16 if half else np.float32
        shapes = [(FEATURES, channels * unshuffle**2, 3, 3), (FEATURES, ),
                  (channels * (scale * unshuffle)**2, FEATURES, 3, 3),
                  (channels * (scale * unshuffle)**2, )]
        factors = [0.5, 0.3, strength, strength / 10]
        self.weights = [(rng.standard_normal(s) * f).astype(self.dtype)
                        for s, f in zip(shapes, factors)]
        self.bytes = self._graph(fixed).SerializeToString()

    def __call__(self, x):
        w = [v.astype(np.float32) for v in self.weights]
        small = x.astype(np.float32) / self.white
        y = conv(np.maximum(conv(to_depth(small, self.unshuffle), w[0], w[1]), 0), w[2], w[3])
        y = to_space(y, self.scale * self.unshuffle)
        return (y + small.repeat(self.scale, 1).repeat(self.scale, 2)) * self.white

    def _graph(self, fixed):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype)) if hasattr(
            helper, "np_dtype_to_tensor_dtype") else onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[
                np.dtype(self.dtype)]
        height, width = fixed or ("height", "width")
        constants = [numpy_helper.from_array(w, f"w{i}") for i, w in enumerate(self.weights)]
        constants.append(numpy_helper.from_array(np.array(self.white, self.dtype), "white"))
        constants.append(
            numpy_helper.from_array(np.array([1, 1, self.scale, self.scale], np.float32), "scales"))
        whole = self.scale * self.unshuffle
        nodes = [
            helper.make_node("Div", ["x", "white"], ["small"]),
            helper.make_node("SpaceToDepth", ["small"], ["deep"], blocksize=self.unshuffle),
            helper.make_node("Conv", ["deep", "w0", "w1"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c"], ["r"]),
            helper.make_node("Conv", ["r", "w2", "w3"], ["d"], pads=[1, 1, 1, 1]),
            helper.make_node("DepthToSpace", ["d"], ["e"], blocksize=whole),
            helper.make_node("Resize", ["small", "", "scales"], ["base"], mode="nearest",
                             coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
            helper.make_node("Add", ["base", "e"], ["sum"]),
            helper.make_node("Mul", ["sum", "white"], ["y"]),
        ]
        x = helper.make_tensor_value_info("x", kind, [1, self.channels, height, width])
        y = helper.make_tensor_value_info("y", kind, None)
        return model(nodes, [x], [y], constants)


def model(nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, "net", inputs, outputs, list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)


def plain(nodes, shape, kind=TensorProto.FLOAT, constants=()):
    """A model of any nodes from x to y, as bytes."""
    return model(nodes, [helper.make_tensor_value_info("x", kind, shape)],
                 [helper.make_tensor_value_info("y", kind, None)], constants).SerializeToString()


def conv(x, weights, bias):
    rows, columns = weights.shape[2:]
    h, w = x.shape[1:]
    x = np.pad(x, ((0, 0), (rows // 2, rows // 2), (columns // 2, columns // 2)))
    out = np.zeros((weights.shape[0], h, w), np.float32)
    for r in range(rows):
        for c in range(columns):
            out += np.tensordot(weights[:, :, r, c], x[:, r:r + h, c:c + w], 1)
    return out + bias[:, None, None]


def to_space(x, block):
    c, h, w = x.shape
    x = x.reshape(block, block, c // block**2, h, w)
    return x.transpose(2, 3, 0, 4, 1).reshape(c // block**2, h * block, w * block)


def to_depth(x, block):
    c, h, w = x.shape
    x = x.reshape(c, h // block, block, w // block, block)
    return x.transpose(2, 4, 0, 1, 3).reshape(c * block**2, h // block, w // block)


if __name__ == "__main__":
    values = {k: int(v) for k, v in (a.split("=") for a in sys.argv[2:])}
    with open(sys.argv[1], "wb") as file:
        file.write(Net(**values).bytes)
