#!/usr/bin/env python3
"""The engine against ONNX Runtime with networks of the same size, on the same processors in one run.

    onnxruntime.py [--program FILE] [--library FILE] [--threads N] [--repeat N] [--size WxH]

Both sides are timed in turn, twice, on 1080p luma: KizunaSR by `bench --json` (all that a frame needs
but decoder and encoder, so chroma too), ONNX Runtime by its C interface on rivals.py's networks. Last
comes what share the engine reaches of the 8-bit multiplications that `bench` finds possible.
The library: see `make onnxruntime`. Prints a table, and the median of each side's milliseconds.
"""

import argparse
import ctypes as c
import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(HERE)
MODELS = ("anime-quality", "anime-fast")
API = 12
FLOAT, ARENA, OPTIMIZE_ALL, WARNING = 1, 1, 99, 2


class Runtime:
    """Places of src/net/ort.h's table, called with whatever they take."""

    PLACES = {"GetErrorMessage": 2, "CreateEnv": 3, "CreateSession": 7, "Run": 9,
              "CreateSessionOptions": 10, "SetSessionGraphOptimizationLevel": 23,
              "SetIntraOpNumThreads": 24, "CreateTensorWithDataAsOrtValue": 49, "GetTensorMutableData": 51,
              "CreateCpuMemoryInfo": 69, "ReleaseSession": 95, "ReleaseValue": 96}

    def __init__(self, path):
        library = c.CDLL(path)
        library.OrtGetApiBase.restype = c.POINTER(c.c_void_p)
        base = library.OrtGetApiBase()
        self.table = c.cast(c.CFUNCTYPE(c.c_void_p, c.c_uint32)(base[0])(API), c.POINTER(c.c_void_p))
        self.version = c.CFUNCTYPE(c.c_char_p)(base[1])().decode()
        self.env = self.make("CreateEnv", c.c_int(WARNING), b"bench")
        self.memory = self.make("CreateCpuMemoryInfo", c.c_int(ARENA), c.c_int(0))

    def function(self, name):
        return c.CFUNCTYPE(c.c_void_p)(self.table[self.PLACES[name]])

    def call(self, name, *arguments):
        status = self.function(name)(*arguments)
        if status:
            message = c.CFUNCTYPE(c.c_char_p, c.c_void_p)(self.table[self.PLACES["GetErrorMessage"]])
            sys.exit(f"{name}: {message(status).decode()}")

    def make(self, name, *arguments):
        result = c.c_void_p()
        self.call(name, *arguments, c.byref(result))
        return result

    def open(self, path, threads):
        """A session with the default options, but for the threads."""
        options = self.make("CreateSessionOptions")
        self.call("SetIntraOpNumThreads", options, c.c_int(threads))
        self.call("SetSessionGraphOptimizationLevel", options, c.c_int(OPTIMIZE_ALL))
        return self.make("CreateSession", self.env, path.encode(), options)

    def run(self, session, samples, channels, width, height):
        """Runs on an array of floats. Returns milliseconds in Run, and the result, to be released."""
        shape = (c.c_int64 * 4)(1, channels, height, width)
        picture = self.make("CreateTensorWithDataAsOrtValue", self.memory, samples,
                            c.c_size_t(4 * channels * width * height), shape, c.c_size_t(4), c.c_int(FLOAT))
        inputs, outputs = (c.c_char_p * 1)(b"x"), (c.c_char_p * 1)(b"y")
        result = c.c_void_p()
        start = time.perf_counter()
        self.call("Run", session, None, inputs, c.byref(picture), c.c_size_t(1), outputs, c.c_size_t(1),
                  c.byref(result))
        taken = 1000 * (time.perf_counter() - start)
        self.function("ReleaseValue")(picture)
        return taken, result

    def data(self, value):
        """The address of its first number."""
        return self.make("GetTensorMutableData", value).value

    def times(self, path, width, height, threads, repeat):
        """Milliseconds of each of `repeat` frames, after one that does not count."""
        session = self.open(path, threads)
        luma = (c.c_float * (width * height))(*([0.1, 0.7, 0.4, 0.9, 0.5] * (width * height // 5)))
        taken = []
        for _ in range(repeat + 1):
            ms, result = self.run(session, luma, 1, width, height)
            taken.append(ms)
            self.function("ReleaseValue")(result)
        self.function("ReleaseSession")(session)
        return taken[1:]


def ours(args):
    text = subprocess.run([args.program, "bench", "--json", "--threads", str(args.threads), "--size",
                           args.size, "--time", "1500"], check=True, capture_output=True, text=True)
    return json.loads(text.stdout)


def library():
    found = [os.environ.get("KIZUNASR_ONNXRUNTIME")]
    found += glob.glob(f"{SOURCE}/build-onnxruntime/**/libonnxruntime.so*", recursive=True)
    found += ["libonnxruntime.so.1"]
    return next(name for name in found if name)


def options():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--program", default=f"{SOURCE}/build/kizunasr")
    p.add_argument("--library", default=library())
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--repeat", type=int, default=5)
    p.add_argument("--size", default="1920x1080")
    return p.parse_args()


def main():
    args = options()
    width, height = map(int, args.size.split("x"))
    runtime = Runtime(args.library)
    ms = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in MODELS:
            os.mkdir(f"{scratch}/{name}")
            subprocess.run([sys.executable, f"{HERE}/rivals.py", f"{SOURCE}/models/{name}.npz",
                            f"{scratch}/{name}"], check=True, stdout=subprocess.DEVNULL)
        for _ in range(2):
            bench = ours(args)
            for run in bench["runs"]:
                if run["threads"] == args.threads and run["scale"] == 2 and run["name"] in MODELS:
                    ms.setdefault((run["name"], "ours"), []).append(run["ms"])
                    ms[run["name"], "speed"] = [run["gigamultiplications_per_second"]]
            for name in MODELS:
                for kind in ("float", "int8"):
                    ms.setdefault((name, kind), []).extend(runtime.times(
                        f"{scratch}/{name}/{kind}.onnx", width, height, args.threads, args.repeat))
    report(args, bench, runtime, {key: statistics.median(value) for key, value in ms.items()})


def report(args, bench, runtime, ms):
    print(f"{bench['processor']}, level {bench['level']}, {args.threads} threads, {args.size} luma, "
          f"ONNX Runtime {runtime.version}, KizunaSR {bench['version']}; milliseconds a frame")
    print(f"{'':14}{'fp32':>8}{'8 bits':>8}{'KizunaSR':>10}{'x fp32':>8}{'x 8 bits':>10}{'of the peak':>13}")
    peak = bench["ceilings"]["int8_gigamultiplications_per_second"]
    for name in MODELS:
        fp32, int8, mine = (ms[name, kind] for kind in ("float", "int8", "ours"))
        share = f"{ms[name, 'speed'] / peak:.0%}" if peak else "-"
        print(f"{name:14}{fp32:8.0f}{int8:8.0f}{mine:10.1f}{fp32 / mine:8.1f}{int8 / mine:10.1f}{share:>13}")


if __name__ == "__main__":
    main()
