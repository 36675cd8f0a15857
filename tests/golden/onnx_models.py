#!/usr/bin/env python3
"""The ONNX models against the integer reference, bit for bit, in 32-bit floating point.

  onnx_models.py SOURCE_FOLDER

Walks each graph with NumPy: the few operators that the models have, as ONNX defines them. Does the same
with networks of several resolutions and of chroma drawn at random (networks.py). Also checks that .ksrnet files are
what train/ai/pack.py makes of the .npz. Ends with
`N passed, N failed, N skipped`.
"""
import glob, os, sys

from checks import check, finish

try:
    import numpy as np
    import onnx
    from onnx import numpy_helper
except ImportError as missing:
    print(f"{missing}\n0 passed, 0 failed, 1 skipped")
    sys.exit(77)

SIZES = ((67, 41), (1, 1), (3, 50))
LARGE = ((9, 5),)  # of networks that take long


def conv(x, weights, bias=None, pads=(0, 0, 0, 0), strides=(1, 1)):
    """x [1,C,h,w]; sums in float32."""
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    rows, columns = weights.shape[2:]
    h, w = x.shape[2] - rows + 1, x.shape[3] - columns + 1
    out = np.zeros((weights.shape[0], h, w), np.float32)
    for r in range(rows):
        for c in range(columns):
            out += np.tensordot(weights[:, :, r, c], x[0, :, r : r + h, c : c + w], 1)
    return (out if bias is None else out + bias[:, None, None])[None, :, :: strides[0], :: strides[1]]


def pad(x, around):
    n = len(around) // 2
    return np.pad(x, list(zip(around[:n], around[n:])), mode="edge")


def space_to_depth(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 3, 5, 1, 2, 4).reshape(n, 4 * c, h // 2, w // 2)


def depth_to_space(x, mode="DCR"):
    _, c, h, w = x.shape
    if mode == "CRD":
        return x.reshape(c // 4, 2, 2, h, w).transpose(0, 3, 1, 4, 2).reshape(1, c // 4, 2 * h, 2 * w)
    return x.reshape(2, 2, c // 4, h, w).transpose(2, 3, 0, 4, 1).reshape(1, c // 4, 2 * h, 2 * w)


def cut(x, starts, ends, axes=(0,)):
    at = [slice(None)] * x.ndim
    for start, end, axis in zip(starts, ends, axes):
        at[axis] = slice(start, end)
    return x[tuple(at)]


def divide(a, b):
    return a // b if a.dtype == np.int64 else np.divide(a, b)


OPERATORS = {"Conv": conv, "Pad": pad, "DepthToSpace": depth_to_space, "SpaceToDepth": space_to_depth, "Clip": np.clip, "Floor": np.floor,
             "Round": np.rint, "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": divide,
             "Shape": lambda x: np.array(x.shape), "Slice": cut, "Cast": lambda x: x.astype(np.float32),
             "Concat": lambda *parts, axis: np.concatenate(parts, axis)}
USED = {"Conv": ("pads", "strides"), "DepthToSpace": ("mode",), "Concat": ("axis",)}  # attributes


def attributes_of(node):
    given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in given.items() if k in USED.get(node.op_type, ())}


def evaluate(graph, **inputs):
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer} | inputs
    assert [i.name for i in graph.input] == list(inputs)
    for node in graph.node:
        result = OPERATORS[node.op_type](*(values[i] for i in node.input), **attributes_of(node))
        assert result.dtype in (np.float32, np.int64), node.op_type
        values[node.output[0]] = result
    return values["y"]


def part(codes):
    """What graphs read: codes of 8 bits as 0..1."""
    return (codes / 255).astype(np.float32)[None]


def compare(name, chain, model, sizes=SIZES):
    """A model against the integers, at odd sizes; of chroma, at odd sizes of chroma."""
    onnx.checker.check_model(model)
    check({o.domain for o in model.opset_import} == {""}, f"{name}: standard operators alone")
    for width, height in sizes:
        if is_chroma(chain):
            luma, chroma, _ = (planes >> 7 for planes in drawn_chroma(2 * width, 2 * height))
            y = evaluate(model.graph, luma=part(luma[None]), chroma=part(chroma))
            want = chroma_differences(chain, luma << 7, chroma << 7)
        else:
            codes = drawn(width, height) >> 7
            y = evaluate(model.graph, x=part(codes[None]))
            want = np.minimum(double(chain, codes << 7), 255 << 7).astype(np.int64)[None]
        got = y[0].astype(np.float64) * (255 << 7)
        check(got.shape == want.shape == (len(want), 2 * height, 2 * width) and (np.rint(got) == want).all(),
              f"{name}: {width}x{height} equals the integers", np.abs(got - want).max())


def main():
    for path in sorted(glob.glob(os.path.join(source, "models/*.ksrnet"))):
        path = path.removesuffix(".ksrnet")
        name = os.path.basename(path)
        sizes = SIZES if os.path.getsize(path + ".ksrnet") < 50_000 else LARGE
        with open(path + ".ksrnet", "rb") as f:
            check(f.read() == file_of(path + ".npz"), f"{name}: .ksrnet is made of the .npz")
        compare(name, layers(path + ".npz"), onnx.load(path + ".onnx"), sizes)
    for name in networks.NETWORKS:
        compare(name, networks.draw(name), export(networks.draw(name), name))
    files = {name: pack(networks.draw(name)) for name in networks.IN_CORPUS} | {"variants": join(networks.variants())}
    for name, data in files.items():
        with open(os.path.join(source, "tests/fuzz/corpus/model", name), "rb") as f:
            check(f.read() == data, f"{name} of the unit tests is what is drawn here")
    finish()


if __name__ == "__main__":
    source = os.path.abspath(sys.argv[1])
    sys.path.insert(0, os.path.join(source, "train/ai"))
    import networks
    from export import export
    from pack import file_of, is_chroma, join, layers, pack
    from reference import chroma_differences, double, drawn, drawn_chroma

    main()
