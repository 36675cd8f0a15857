#!/usr/bin/env python3
"""Devices that start, or do not; work folders made by another engine; and which value is white.

  onnx_refusals.py PROGRAM SHIM

SHIM is tests/ort/shim.c, which here offers a device that is not there. Only small films are planned
and worked on. Skipped where there is no runtime. Ends with `N passed, N failed, N skipped`.
"""
import json, os, sys, tempfile

from checks import check, finish, run
from onnx_engine import AI, Bench, Net, helper, md5, np, numpy_helper, plain

DEVICE = {"SHIM_PROVIDER": "XnnpackExecutionProvider"}


class Films(Bench):
    def __init__(self, program, folder, shim):
        super().__init__(program, folder)
        devices = run(program, "devices", "--json")
        found = json.loads(devices.stdout)["onnxruntime"]
        self.real = found.get("path")
        self.net = self.model("net.onnx", Net().bytes)
        self.library = ("--onnxruntime-library", shim)

    def verb(self, verb, *arguments, **env):
        return run(self.program, verb, *arguments, "--progress", "none", *self.library,
                   env=dict(os.environ, SHIM_RUNTIME=self.real, **env))

    def plan(self, name, *options, model=None, **env):
        return self.verb("plan", self.film, self.path(name), *AI, "--use-ai", "--ai-model",
                         model or self.net, "--threads", "1", *options, **env)

    def work(self, name, *options, **env):
        return self.verb("work", self.path(name) + ".kizunasr", *options, **env)


def refused(r, line, what):
    check(r.returncode != 0 and r.stderr == f"kizunasr: error: {line}\n", what, f"{r.returncode} {r.stderr}")


def test_fallback(b):
    for where, reason in (("append", "there is no such device"), ("session", "the device is busy")):
        r = b.verb("upscale", b.film, b.path(f"{where}.mkv"), *AI, "--use-ai", "--ai-model", b.net,
                   "--device", "xnnpack", SHIM_FAILS=where, **DEVICE)
        check(r.returncode == 0 and r.stderr == "kizunasr: warning: device: xnnpack does not start: running the "
              f"model on the CPU ({reason})\n" and " on cpu, " in r.stdout, f"{where} fails: the CPU, and a warning",
              r.stdout + r.stderr)


def test_device(b):
    r = b.plan("device.mkv", "--device", "xnnpack", **DEVICE)
    check(r.returncode == 0 and not r.stderr, "a device that starts", r.stderr)
    folder = b.path("device.mkv.kizunasr")
    refused(b.plan("device.mkv"), f"{folder} belongs to another job: the device that runs the model "
            "(XnnpackExecutionProvider there, CPUExecutionProvider now) differs (use --fresh to start over)",
            "plan on another device is refused")
    refused(b.work("device.mkv", "--device", "cpu", **DEVICE), "differs from the plan: the device that runs the "
            "model (XnnpackExecutionProvider there, CPUExecutionProvider now)", "so is work")
    refused(b.work("device.mkv", SHIM_FAILS="session", **DEVICE),
            "device: xnnpack does not start: the device is busy", "work does not fall back")
    r = b.work("device.mkv", **DEVICE)
    check(r.returncode == 0, "work takes the device of the plan", r.stderr)
    r = run(b.program, "join", folder, "--progress", "none")
    check(r.returncode == 0 and " on xnnpack, 1 thread" in r.stdout, "join says what ran", r.stdout + r.stderr)


def test_runtime_and_model(b):
    folder = b.path("other.mkv.kizunasr")
    b.plan("other.mkv", SHIM_VERSION="1.77.0")
    refused(b.work("other.mkv", SHIM_VERSION="1.78.0"), "differs from the plan: the version of ONNX Runtime "
            "(ONNX Runtime 1.77.0 there, ONNX Runtime 1.78.0 now)", "work with another version is refused")
    other = b.model("other.onnx", Net(seed=2).bytes)
    r = b.plan("other.mkv", model=other, SHIM_VERSION="1.77.0")
    check(r.returncode != 0 and r.stderr.startswith(f"kizunasr: error: {folder} belongs to another job: ") and
          r.stderr.count("\n") == 1, "plan with another model is refused", r.stderr)


def white(b, path):
    r = run(b.program, "models", path, "--json")
    return json.loads(r.stdout)["models"][0]["white"] if r.returncode == 0 else r.stderr


def test_white(b):
    for channels in (1, 3):
        for value in (1, 255):
            path = b.model("white.onnx", Net(channels=channels, white=value).bytes)
            check(white(b, path) == value, f"{channels} channels, white is {value}", white(b, path))
    bright = b.model("white.onnx", Net(white=255).bytes)
    r = b.plan("white.mkv", model=bright)
    check(r.returncode == 0 and not r.stderr, "white is found", r.stderr)
    refused(b.plan("white.mkv", "--ai-white", "1", model=bright), b.path("white.mkv.kizunasr") + " belongs to another "
            "job: the model's value of white (255 there, 1 now) differs (use --fresh to start over)",
            "another white is refused")
    r = b.work("white.mkv")
    run(b.program, "join", b.path("white.mkv.kizunasr"), "--progress", "none")
    b.verb("upscale", b.film, b.path("told.mkv"), *AI, "--use-ai", "--ai-model", bright, "--threads", "1",
           "--ai-white", "255")
    check(r.returncode == 0 and md5(b.path("white.mkv")) == md5(b.path("told.mkv")) != "",
          "work uses the white that plan found", r.stderr)
    # A model of which nothing can be told: all that it makes is black.
    zero = numpy_helper.from_array(np.array(0, np.float32), "zero")
    black = b.model("black.onnx", plain([helper.make_node("Mul", ["x", "zero"], ["y"])], [1, 1, "h", "w"],
                                        constants=[zero]))
    r = b.plan("black.mkv", model=black)
    check(r.returncode == 0 and r.stderr == f"kizunasr: warning: {black}: cannot detect the value of white: assuming 1 "
          "(set it with --ai-white)\n", "white cannot be told: a warning", r.stderr)
    r = b.plan("told-black.mkv", "--ai-white", "255", model=black)
    check(r.returncode == 0 and not r.stderr, "white is told: none", r.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        b = Films(os.path.abspath(sys.argv[1]), folder, os.path.abspath(sys.argv[2]))
        if not b.real:
            print("there is no ONNX Runtime (make onnxruntime)\n0 passed, 0 failed, 1 skipped")
            sys.exit(77)
        for test in (test_fallback, test_device, test_runtime_and_model, test_white):
            test(b)
    finish()


if __name__ == "__main__":
    main()
