#!/usr/bin/env python3
"""AI mode with .onnx models against ONNX Runtime called directly: time and memory of one picture.

    onnx_engine.py [--build FOLDER] [--library FILE] [--threads N] [--repeat N] [--rounds N] [--size WxH] [CASE...]

Ours is onnx_frame.c: from working samples to working samples, tiles cut and joined. Theirs is the
runtime with default options and the same model, threads and tiles: what Run takes, without filling
what goes in or reading what comes out; once in tiles and once with the whole picture. Every side is
a process of its own, in turn; busy is the time of all processors, which other programs disturb less.
Memory is what the process grew by at most, from before the runtime was loaded; theirs has its whole
result in it where there are tiles. Cases: net1, net3, rgb3, anime.
"""

import argparse
import ctypes as c
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from onnxruntime import SOURCE, Runtime, library

TILES = {"tiles": (512, 64), "whole": (4096, 64)}


def memory(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name + ":"))


def cut(length, size, overlap):
    """Where tiles start, and their size, as src/net/tiles.c has it."""
    size = min(size, length)
    count = 1 if length <= size else -(-(length - overlap) // (size - overlap))
    size = -(-(length + (count - 1) * overlap) // count)
    return [min(i * (size - overlap), length - size) for i in range(count)], size


def direct(args):
    """The runtime's side, in this process."""
    import numpy as np

    path, name, channels, threads, width, height, tile, overlap, repeat = args
    channels, threads, width, height, tile, overlap, repeat = map(
        int, (channels, threads, width, height, tile, overlap, repeat))
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([((x * 37 + y * 11) % 997 / 997).astype(np.float32)] * channels)
    del x, y
    (lefts, w), (tops, h) = cut(width, tile, overlap), cut(height, tile, overlap)
    before = memory("VmRSS")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak starts again here
    runtime = Runtime(path)
    session = runtime.open(name, threads)
    large = np.empty((channels, 2 * height, 2 * width), np.float32) if len(lefts) > 1 else None
    taken, busy = [], []
    for _ in range(repeat + 1):
        taken.append(0)
        busy.append(0)
        for top in tops:
            for left in lefts:
                part = np.ascontiguousarray(picture[:, top:top + h, left:left + w])
                start = time.process_time()
                ms, result = runtime.run(session, part.ctypes.data_as(c.c_void_p), channels, w, h)
                busy[-1] += 1000 * (time.process_time() - start)
                taken[-1] += ms
                if large is not None:
                    shape = (c.c_float * (4 * channels * w * h)).from_address(runtime.data(result))
                    large[:, 2 * top:2 * (top + h), 2 * left:2 * (left + w)] = np.frombuffer(
                        shape, np.float32).reshape(channels, 2 * h, 2 * w)
                runtime.function("ReleaseValue")(result)
    print(json.dumps({"ms": taken[1:], "busy": busy[1:], "kib": memory("VmHWM") - before, "version": runtime.version}))


def network(channels, features=32, middle=2):
    """Convolutions of 3x3 and a pixel shuffle, added to the picture made larger by repeating."""
    sys.path.insert(0, f"{SOURCE}/tests/golden")
    import numpy as np
    from onnx import helper, numpy_helper
    from onnx_nets import plain

    random = np.random.default_rng(1)
    widths = [channels] + [features] * (middle + 1) + [4 * channels]
    constants = [numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")]
    nodes, last = [], "x"
    for i, (before, after) in enumerate(zip(widths, widths[1:])):
        weights = random.normal(0, 0.05, (after, before, 3, 3)).astype(np.float32)
        constants.append(numpy_helper.from_array(weights, f"w{i}"))
        nodes.append(helper.make_node("Conv", [last, f"w{i}"], [f"c{i}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        last = f"r{i}"
    nodes[-1] = helper.make_node("DepthToSpace", [f"c{len(widths) - 2}"], ["more"], blocksize=2, mode="CRD")
    nodes.append(helper.make_node("Resize", ["x", "", "scales"], ["base"], mode="nearest",
                                  coordinate_transformation_mode="asymmetric", nearest_mode="floor"))
    nodes.append(helper.make_node("Add", ["base", "more"], ["y"]))
    return plain(nodes, [1, channels, "h", "w"], constants=constants)


def models(folder):
    """name: (file, channels, colour)"""
    files = {}
    for channels in (1, 3):
        files[channels] = f"{folder}/net{channels}.onnx"
        with open(files[channels], "wb") as file:
            file.write(network(channels))
    return {"net1": (files[1], 1, "luma"), "net3": (files[3], 3, "luma"), "rgb3": (files[3], 3, "rgb"),
            "anime": (f"{SOURCE}/models/anime-quality.onnx", 1, "luma")}


def side(command):
    r = subprocess.run(command, capture_output=True, text=True)
    if r.returncode or r.stderr:
        sys.exit(f"{' '.join(command)}\n{r.stderr}")
    return json.loads(r.stdout)


def compare(args, case, width, height):
    name, channels, colour = case
    base = [str(args.threads), str(width), str(height)]
    theirs = [sys.executable, __file__, "--direct", args.library, name, str(channels)] + base
    runs = {}
    for tiles, (tile, overlap) in TILES.items():
        numbers = [str(tile), str(overlap)]
        runs["ours", tiles] = [f"{args.build}/bench/onnx_frame", name, args.library, *base, *numbers, colour,
                               str(args.repeat)]
        runs["theirs", tiles] = theirs + numbers + [str(args.repeat)]
    results = {key: [] for key in runs}
    for _ in range(args.rounds):
        for key, command in runs.items():
            results[key].append(side(command))
    return {key: [statistics.median(ms for r in value for ms in r[what]) for what in ("ms", "busy")] +
            [statistics.median(r["kib"] for r in value) / 1024] for key, value in results.items()}


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", default=f"{SOURCE}/build")
    p.add_argument("--library", default=library())
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--repeat", type=int, default=5)
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--size", default="1920x1080")
    p.add_argument("cases", nargs="*")
    return p.parse_args()


def main():
    if sys.argv[1:2] == ["--direct"]:
        direct(sys.argv[2:])
        return
    args = options()
    width, height = map(int, args.size.split("x"))
    subprocess.run(["ninja", "-C", args.build, "bench/onnx_frame"], check=True, stdout=subprocess.DEVNULL)
    print(f"ONNX Runtime {Runtime(args.library).version}, {args.threads} threads, {args.size}; milliseconds a "
          "picture, of processors, MiB")
    print(f"{'':12}{'runtime':>22}{'KizunaSR':>22}{'time':>9}{'busy':>6}{'memory':>7}")
    with tempfile.TemporaryDirectory() as scratch:
        for label, case in models(scratch).items():
            if args.cases and label not in args.cases:
                continue
            r = compare(args, case, width, height)
            for tiles in TILES:
                theirs, ours = r["theirs", tiles], r["ours", tiles]
                numbers = "".join(f"{ms:9.1f}{busy:8.1f}{mib:5.0f}" for ms, busy, mib in (theirs, ours))
                times = "".join(f"{mine / other:7.2f}" for mine, other in zip(ours, theirs))
                print(f"{label:6}{tiles:6}{numbers}  {times}", flush=True)


if __name__ == "__main__":
    main()
