#!/usr/bin/env python3
"""The ONNX models against the integer reference, bit for bit, in 32-bit floating point.

  onnx_models.py SOURCE_FOLDER

Walks each graph with NumPy: the few operators that the models have, as ONNX defines them. Also
checks that .ksrnet files are what train/ai/pack.py makes of the .npz. Ends with
`N passed, N failed, N skipped`.
"""
import os, sys

from checks import check, finish

try:
    import numpy as np
    import onnx
    from onnx import numpy_helper
except ImportError as missing:
    print(f"{missing}\n0 passed, 0 failed, 1 skipped")
    sys.exit(77)

MODELS = ("anime-fast", "anime-quality")


def conv(x, weights, bias=None):
    """x [1,C,h,w], only where the kernel fits; sums in float32."""
    rows, columns = weights.shape[2:]
    h, w = x.shape[2] - rows + 1, x.shape[3] - columns + 1
    out = np.zeros((weights.shape[0], h, w), np.float32)
    for r in range(rows):
        for c in range(columns):
            out += np.tensordot(weights[:, :, r, c], x[0, :, r : r + h, c : c + w], 1)
    return (out if bias is None else out + bias[:, None, None])[None]


def pad(x, around):
    n = len(around) // 2
    return np.pad(x, list(zip(around[:n], around[n:])), mode="edge")


def depth_to_space(x):
    _, c, h, w = x.shape
    return x.reshape(2, 2, h, w).transpose(2, 0, 3, 1).reshape(1, c // 4, 2 * h, 2 * w)


OPERATORS = {"Conv": conv, "Pad": pad, "DepthToSpace": depth_to_space, "Clip": np.clip, "Floor": np.floor,
             "Round": np.rint, "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}


def evaluate(graph, x):
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    values["x"] = x
    for node in graph.node:
        values[node.output[0]] = OPERATORS[node.op_type](*(values[i] for i in node.input))
        assert values[node.output[0]].dtype == np.float32, node.op_type
    return values["y"]


def main():
    source = os.path.abspath(sys.argv[1])
    sys.path.insert(0, os.path.join(source, "train/ai"))
    from pack import layers, pack
    from reference import double, drawn

    for name in MODELS:
        path = os.path.join(source, "models", name)
        chain = layers(path + ".npz")
        with open(path + ".ksrnet", "rb") as f:
            check(f.read() == pack(chain), f"{name}: .ksrnet is made of the .npz")
        model = onnx.load(path + ".onnx")
        onnx.checker.check_model(model)
        check({o.domain for o in model.opset_import} == {""}, f"{name}: standard operators alone")
        for width, height in ((67, 41), (1, 1), (3, 50)):
            codes = drawn(width, height) >> 7
            y = evaluate(model.graph, (codes / 255).astype(np.float32)[None, None])
            want = np.minimum(double(chain, codes << 7), 255 << 7).astype(np.float32)
            got = y[0, 0].astype(np.float64) * (255 << 7)
            check(y.shape == (1, 1, 2 * height, 2 * width) and (np.rint(got) == want).all(),
                  f"{name}: {width}x{height} equals the integers", np.abs(got - want).max())
    finish()


if __name__ == "__main__":
    main()
