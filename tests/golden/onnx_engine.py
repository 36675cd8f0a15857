#!/usr/bin/env python3
"""AI mode with ONNX Runtime: models of many shapes against NumPy, tiles, jobs, bad models.

  onnx_engine.py PROGRAM SHIM

SHIM is tests/ort/shim.c, which makes the runtime fail in rare ways.

Films are lossless in and out, of 10 bits, so what is compared is the model's work. Skipped where
there is no runtime. Ends with `N passed, N failed, N skipped`.
"""
import json, os, subprocess, sys, tempfile

from checks import check, finish, run

try:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper
    from onnx_nets import Net, plain
except ImportError as missing:
    print(f"{missing}\n0 passed, 0 failed, 1 skipped")
    sys.exit(77)

WIDTH, HEIGHT = 70, 50
KR, KB = 0.2126, 0.0722
AI = ("--progress", "none", "--log-level", "warning", "--denoise", "0", "--codec", "ffv1",
      "--overwrite")


def picture():
    """Y, Cb, Cr of 10 bits, limited range, smooth with an edge."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    luma = 480 + 300 * np.sin(x * 0.31) * np.cos(y * 0.23) + 60 * (x > 40)
    cb = 512 + 90 * np.sin(y * 0.19)
    cr = 512 + 90 * np.cos(x * 0.17)
    return np.stack([luma, cb, cr]).round().astype(np.uint16)


def write_film(path, planes, pixel_format, full=False):
    height, width = planes[0].shape
    run_range = "pc" if full else "tv"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", pixel_format, "-s",
                    f"{width}x{height}", "-r", "24", "-i", "-", "-c:v", "ffv1", "-colorspace",
                    "bt709", "-color_range", run_range, path],
                   input=b"".join(p.astype("<u2").tobytes() for p in planes) * 2, check=True)


def read_luma(path, width, height):
    return read_planes(path, width, height)[0]


def read_planes(path, width, height):
    """The first picture, of 4:4:4."""
    r = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-frames:v", "1", "-"],
                       capture_output=True)
    data = np.frombuffer(r.stdout, "<u2")
    return data[:3 * width * height].reshape(3, height, width).astype(np.int32) if (
        data.size >= 3 * width * height) else np.zeros((3, height, width), np.int32)


def area(x, width):
    """[C,H,W] averaged over the area of each sample of a picture of that width."""
    made = x.shape[2]
    common = np.gcd(made, width)
    part, whole = made // common, width // common
    x = x.repeat(whole, 1).repeat(whole, 2)
    c, h, w = x.shape
    return x.reshape(c, h // part, part, w // part, part).mean((2, 4))


def samples(x):
    return np.clip(np.floor(x + 0.5), 0, 32767)


def one_pass(net, luma, width):
    """Working samples of luma in and out."""
    if net.channels == 1:
        out = area(net((luma / 32640 * net.white)[None]), width)[0] / net.white
        return samples(out * 32640)
    x = np.stack([(luma - 2048) / 28032 * net.white] * 3)
    return samples(area(net(x), width).mean(0) / net.white * 28032 + 2048)


def expected_luma(net, luma, scale):
    """What the program makes of luma of 10 bits."""
    luma = luma.astype(np.float64) * 32
    if net.scale < scale:
        luma = one_pass(net, luma, WIDTH * net.scale)
    return (one_pass(net, luma, WIDTH * scale) + 16) // 32


def expected_rgb(net, planes, scale):
    y = (planes[0] * 32.0 - 2048) / 28032
    cb, cr = ((planes[i] * 32.0 - 16384) / 28672 for i in (1, 2))
    r, b = y + 2 * (1 - KR) * cr, y + 2 * (1 - KB) * cb
    g = (y - KR * r - KB * b) / (1 - KR - KB)
    r, g, b = area(net(np.stack([r, g, b]) * net.white), WIDTH * scale) / net.white
    y = KR * r + (1 - KR - KB) * g + KB * b
    out = [y * 28032 + 2048, (b - y) / (2 * (1 - KB)) * 28672 + 16384,
           (r - y) / (2 * (1 - KR)) * 28672 + 16384]
    return np.stack([(samples(p) + 16) // 32 for p in out])


class Bench:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.planes = picture()
        self.film = self.path("film.mkv")
        write_film(self.film, self.planes, "yuv444p10le")

    def path(self, name):
        return os.path.join(self.folder, name)

    def model(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def upscale(self, out, model, *options, env=None):
        return run(self.program, "upscale", self.film, self.path(out), *AI, "--use-ai", "--ai-model",
                   model, *options, env=dict(os.environ, **env) if env else None)

    def plan(self, model, *options):
        return run(self.program, "plan", self.film, self.path("plan.mkv"), *AI, "--fresh", "--use-ai",
                   "--ai-model", model, *options)


def near(got, want, tolerance):
    worst = int(np.abs(got - want).max())
    return worst <= tolerance, f"off by {worst}"


def test_shapes(b):
    cases = {  # name: (model, scale, off by at most, of 1023)
        "one channel, 2x": (Net(), 2, 1),
        "white is 255": (Net(white=255), 2, 1),
        "three channels": (Net(channels=3), 2, 1),
        "three channels, 4x, white is 255": (Net(channels=3, scale=4, white=255), 4, 1),
        "float16": (Net(half=True), 2, 3),
        "sizes in steps of 4": (Net(unshuffle=4, strength=0.03), 2, 1),
        "2x twice": (Net(), 4, 1),
        "4x made smaller": (Net(scale=4), 2, 1),
        "3x made smaller": (Net(scale=3), 2, 1),
        "3x twice, made smaller": (Net(scale=3, strength=0.05), 4, 1),
    }
    for name, (net, scale, tolerance) in cases.items():
        r = b.upscale("out.mkv", b.model("net.onnx", net.bytes), "--scale", str(scale))
        said = "ONNX Runtime" in r.stdout and " on cpu, " in r.stdout
        check(r.returncode == 0 and said and not r.stderr, f"{name}: runs", r.stdout + r.stderr)
        luma = b.planes[0]
        if net.unshuffle > 1:  # the picture goes on by repeating its edge
            luma = np.pad(luma, ((0, -HEIGHT % net.unshuffle), (0, -WIDTH % net.unshuffle)), "edge")
            global_width = luma.shape[1] * scale
            want = (one_pass(net, luma * 32.0, global_width) + 16) // 32
            want = want[:HEIGHT * scale, :WIDTH * scale]
        else:
            want = expected_luma(net, luma, scale)
        check(*reorder(near(read_luma(b.path("out.mkv"), WIDTH * scale, HEIGHT * scale), want,
                            tolerance), f"{name}: luma as NumPy has it"))


def reorder(result, what):
    return result[0], what, result[1]


def test_colour(b):
    net = Net(channels=3, strength=0.05)
    path = b.model("net.onnx", net.bytes)
    r = b.upscale("rgb.mkv", path, "--ai-color", "rgb")
    check(r.returncode == 0, "rgb: runs", r.stderr)
    got = read_planes(b.path("rgb.mkv"), 2 * WIDTH, 2 * HEIGHT)
    check(*reorder(near(got, expected_rgb(net, b.planes, 2), 1), "rgb: all planes as NumPy has them"))
    # A model that only makes it larger must not shift colours, whatever the subsampling.
    larger = plain([helper.make_node("Resize", ["x", "", "s"], ["y"], mode="nearest",
                                     coordinate_transformation_mode="asymmetric",
                                     nearest_mode="floor")], [1, 3, "h", "w"],
                   constants=[numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "s")])
    flat = [np.full((HEIGHT, WIDTH), 400), np.full((HEIGHT // 2, WIDTH // 2), 600),
            np.full((HEIGHT // 2, WIDTH // 2), 450)]
    keep, b.film = b.film, b.path("flat.mkv")
    write_film(b.film, flat, "yuv420p10le")
    r = b.upscale("flat-out.mkv", b.model("larger.onnx", larger), "--ai-color", "rgb")
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", b.path("flat-out.mkv"), "-f", "rawvideo",
                          "-frames:v", "1", "-"], capture_output=True).stdout
    values = sorted(set(np.frombuffer(raw, "<u2").tolist()))
    check(r.returncode == 0 and values == [400, 450, 600], "rgb: flat 4:2:0 stays", values)
    b.film = keep
    r = b.upscale("out.mkv", b.model("one.onnx", Net().bytes), "--ai-color", "rgb")
    check(r.returncode == 2 and r.stderr == "kizunasr: error: ai_color: 'rgb' needs a model of three "
          "channels (luma)\n", "rgb: one channel is refused", r.stderr)


def md5(path):
    return run("ffmpeg", "-v", "error", "-i", path, "-f", "md5", "-").stdout


def test_restorer(b):
    same = plain([helper.make_node("Identity", ["x"], ["y"])], [1, 1, "h", "w"])
    b.upscale("same.mkv", b.model("same.onnx", same), "--scale", "4")
    run(b.program, "upscale", b.film, b.path("shader.mkv"), *AI, "--scale", "4")
    check(md5(b.path("same.mkv")) == md5(b.path("shader.mkv")) != "",
          "1x: a model that changes nothing leaves shader mode")


def test_tiles(b):
    net = Net(strength=0.3)
    path = b.model("net.onnx", net.bytes)
    whole = expected_luma(net, b.planes[0], 2)
    for options in (("--ai-tile-size", "32", "--ai-tile-overlap", "8"),
                    ("--ai-tile-size", "33", "--ai-tile-overlap", "4")):
        b.upscale("out.mkv", path, *options)
        got = read_luma(b.path("out.mkv"), 2 * WIDTH, 2 * HEIGHT)
        check(*reorder(near(got, whole, 1), f"tiles cannot be told: {' '.join(options)}"))
    b.upscale("out.mkv", path, "--ai-tile-size", "32", "--ai-tile-overlap", "0")
    got = read_luma(b.path("out.mkv"), 2 * WIDTH, 2 * HEIGHT)
    check(np.abs(got - whole).max() > 4, "without overlap they can (or the test proves nothing)")
    four = Net(unshuffle=4, strength=0.03)
    whole = b.upscale("whole.mkv", b.model("four.onnx", four.bytes))
    b.upscale("out.mkv", b.path("four.onnx"), "--ai-tile-size", "40", "--ai-tile-overlap", "20")
    check(*reorder(near(read_luma(b.path("out.mkv"), 2 * WIDTH, 2 * HEIGHT),
                        read_luma(b.path("whole.mkv"), 2 * WIDTH, 2 * HEIGHT), 1),
                   "tiles of a model in steps of 4"))
    fixed = Net(fixed=(32, 48), strength=0.3)
    r = b.upscale("out.mkv", b.model("fixed.onnx", fixed.bytes), "--ai-tile-overlap", "8")
    want = expected_luma(Net(strength=0.3), b.planes[0], 2)
    check(*reorder(near(read_luma(b.path("out.mkv"), 2 * WIDTH, 2 * HEIGHT), want, 1),
                   "a model of a fixed size" + r.stderr))
    large = Net(fixed=(64, 96))
    r = b.upscale("out.mkv", b.model("large.onnx", large.bytes))
    padded = np.pad(b.planes[0], ((0, 64 - HEIGHT), (0, 96 - WIDTH)), "edge")
    want = ((one_pass(Net(), padded * 32.0, 192) + 16) // 32)[:2 * HEIGHT, :2 * WIDTH]
    check(*reorder(near(read_luma(b.path("out.mkv"), 2 * WIDTH, 2 * HEIGHT), want, 1),
                   "a fixed size larger than the picture" + r.stderr))


def test_bundled(b):
    for name in ("anime-fast",):
        b.upscale("native.mkv", name, "--workers", "2")
        r = b.upscale("ort.mkv", name, "--ai-engine", "onnxruntime")
        check(r.returncode == 0 and md5(b.path("native.mkv")) == md5(b.path("ort.mkv")) != "",
              f"{name}: the native engine's samples", r.stderr)


def test_job(b):
    path = b.model("net.onnx", Net().bytes)
    first = b.upscale("a.mkv", path, "--threads", "2")
    again = b.upscale("b.mkv", path, "--threads", "2")
    check(open(b.path("a.mkv"), "rb").read() == open(b.path("b.mkv"), "rb").read(),
          "the same bytes twice", first.stderr + again.stderr)
    out, folder = b.path("job.mkv"), b.path("job.mkv.kizunasr")
    plan = (b.program, "plan", b.film, out, *AI, "--use-ai", "--ai-model", path)
    run(*plan, "--threads", "1")
    r = run(*plan, "--threads", "2")
    check(r.returncode != 0 and r.stderr == f"kizunasr: error: {folder} belongs to another job: the number "
          "of threads in the model (1 there, 2 now) differs (use --fresh to start over)\n",
          "another number of threads is refused", r.stderr)
    r = run(b.program, "work", folder, "--threads", "2", "--progress", "none")
    check(r.returncode != 0 and r.stderr == "kizunasr: error: differs from the plan: the number of threads "
          "in the model (1 there, 2 now)\n", "so it is by work", r.stderr)
    b.model("net.onnx", Net(seed=2).bytes)
    r = run(b.program, "work", folder, "--progress", "none")
    check(r.returncode != 0 and r.stderr == "kizunasr: error: the model has changed since the "
          f"job was planned: {path}\n", "another model is refused", r.stderr)
    b.model("net.onnx", Net().bytes)
    r = run(b.program, "work", folder, "--progress", "none")
    check(r.returncode == 0, "work takes the threads of the plan", r.stderr)
    r = run(b.program, "join", folder, "--progress", "none")
    check(r.returncode == 0 and ", 1 thread" in r.stdout, "join says what ran", r.stdout + r.stderr)


def test_devices(b):
    path = b.model("net.onnx", Net().bytes)
    r = b.upscale("out.mkv", path, "--device", "coreml")
    check(r.returncode == 0 and r.stderr.startswith("kizunasr: warning: device: coreml does not start: "
          "running the model on the CPU (") and " on cpu, " in r.stdout, "a device that does not start",
          r.stdout + r.stderr)
    r = b.upscale("out.mkv", path, "--device", "gpu")
    check(r.returncode == 2 and r.stderr.startswith("kizunasr: error: device: 'gpu' is not valid (cpu, "
          "cuda, "), "a device that nobody knows", r.stderr)
    r = b.upscale("out.mkv", "anime-fast", "--device", "cuda")
    check(r.returncode == 2 and r.stderr == "kizunasr: error: device: 'cuda' is not one of auto, "
          "all, cpu, vulkan, vulkan:N\n",
          "a device that the native engine has not", r.stderr)


def test_runtime(b):
    path = b.model("net.onnx", Net().bytes)
    for options, env, want in (
            (("--onnxruntime-library", "nowhere.so"), {}, "ONNX Runtime not found: nowhere.so"),
            ((), {"KIZUNASR_ONNXRUNTIME": "nowhere.so"}, "ONNX Runtime not found: nowhere.so"),
            (("--onnxruntime-library", path), {}, "cannot load ONNX Runtime: "),
            (("--onnxruntime-library", "/lib/x86_64-linux-gnu/libm.so.6"), {},
             "not ONNX Runtime: /lib")):
        if options and options[1].startswith("/lib") and not os.path.exists(options[1]):
            continue
        r = b.upscale("out.mkv", path, *options, env=env)
        check(r.returncode == 5 and r.stderr.startswith("kizunasr: error: " + want) and
              r.stderr.count("\n") == 1, want, r.stderr)
    r = b.upscale("fallback.mkv", path, "--ai-fallback", "--scale", "4",
                  "--onnxruntime-library", "nowhere.so")
    run(b.program, "upscale", b.film, b.path("shader.mkv"), *AI, "--scale", "4")
    check(r.returncode == 0 and r.stderr == "kizunasr: warning: ONNX Runtime not found: nowhere.so: "
          "continuing without AI\n", "fallback: a warning", r.stderr)
    check(md5(b.path("fallback.mkv")) == md5(b.path("shader.mkv")) != "", "fallback: shader mode")


def test_shim(b, shim):
    """What the runtime seldom does."""
    net = Net(strength=0.3)
    path = b.model("net.onnx", net.bytes)
    r = run(b.program, "devices", "--json")
    real = json.loads(r.stdout)["onnxruntime"]["path"]

    def upscale(*options, **env):
        return b.upscale("out.mkv", path, "--onnxruntime-library", shim, *options,
                         env=dict(env, SHIM_RUNTIME=real))

    r = upscale(SHIM_WIDEST="64", SHIM_BALANCE=b.path("balance"))
    check(r.returncode == 0 and r.stderr == "kizunasr: warning: out of memory with tiles of 512: continuing with tiles "
          "of 256\nkizunasr: warning: out of memory with tiles of 256: continuing with tiles of 128"
          "\nkizunasr: warning: out of memory with tiles of 128: continuing with tiles of 64\n",
          "out of memory: smaller tiles, a line each", r.stderr)
    check(*reorder(near(read_luma(b.path("out.mkv"), 2 * WIDTH, 2 * HEIGHT),
                        expected_luma(net, b.planes[0], 2), 1), "out of memory: the same picture"))
    with open(b.path("balance")) as file:
        left = file.read()
    check(left == "0 sessions, 0 values, 0 types, 0 shapes\n", "everything is released", left)
    r = upscale(SHIM_WIDEST="16")
    check(r.returncode == 5 and "Failed to allocate" in r.stderr, "out of memory in the trial", r.stderr)
    r = upscale(SHIM_OLD="1", SHIM_VERSION="1.2.0")
    check(r.returncode == 5 and r.stderr == "kizunasr: error: ONNX Runtime 1.2.0 is too old: 1.12 or "
          f"newer is needed: {shim}\n", "a runtime that is too old", r.stderr)
    r = b.upscale("out.mkv", path, "--onnxruntime-library", shim, env={"SHIM_RUNTIME": "nowhere"})
    check(r.returncode == 5 and r.stderr == f"kizunasr: error: not ONNX Runtime: {shim}\n",
          "a library that gives no interface", r.stderr)
    plan = (b.program, "plan", b.film, b.path("v.mkv"), *AI, "--use-ai", "--ai-model", path,
            "--onnxruntime-library", shim)
    run(*plan, env=dict(os.environ, SHIM_RUNTIME=real, SHIM_VERSION="1.77.0"))
    r = run(*plan, env=dict(os.environ, SHIM_RUNTIME=real, SHIM_VERSION="1.78.0"))
    check(r.returncode != 0 and r.stderr == f"kizunasr: error: {b.path('v.mkv')}.kizunasr belongs to another "
          "job: the version of ONNX Runtime (ONNX Runtime 1.77.0 there, ONNX Runtime 1.78.0 now) differs "
          "(use --fresh to start over)\n", "another version is refused", r.stderr)


def bad_models():
    good = Net().bytes
    yield "empty", b""
    yield "text", b"this is no model at all\n" * 40
    for part in (0.05, 0.5, 0.97):
        yield f"cut at {part}", good[:int(len(good) * part)]
    yield "whole numbers", plain([helper.make_node("Identity", ["x"], ["y"])], [1, 1, "h", "w"],
                                 TensorProto.INT32)
    identity = [helper.make_node("Identity", ["x"], ["y"])]
    yield "channels last", plain(identity, [1, "h", "w", 3])
    yield "three dimensions", plain(identity, [3, "h", "w"])
    yield "a batch of four", plain(identity, [4, 3, "h", "w"])
    yield "a huge size", plain(identity, [1, 3, 100000, 100000])
    yield "no samples", plain(identity, [1, 3, 0, 0])
    yield "NaN", plain([helper.make_node("Log", ["x"], ["a"]), helper.make_node("Sub", ["a", "a"], ["b"]),
                        helper.make_node("Div", ["b", "b"], ["y"])], [1, 1, "h", "w"])
    for name, factors in (("0x", (1, 1, 0, 0)), ("8x", (1, 1, 8, 8)), ("2x and 3x", (1, 1, 2, 3)),
                          ("half", (1, 1, 0.5, 0.5)), ("twice the channels", (1, 2, 2, 2))):
        scales = numpy_helper.from_array(np.array(factors, np.float32), "s")
        yield name, plain([helper.make_node("Resize", ["x", "", "s"], ["y"], mode="nearest")],
                          [1, 1, "h", "w"], constants=[scales])
    two = helper.make_graph(
        [helper.make_node("Add", ["x", "z"], ["y"])], "two",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 1, "h", "w"]) for n in "xz"],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    yield "two inputs", helper.make_model(two, ir_version=7, opset_imports=[
        helper.make_opsetid("", 13)]).SerializeToString()
    none = helper.make_graph([helper.make_node("Constant", [], ["y"], value=numpy_helper.from_array(
        np.zeros((1, 1, 2, 2), np.float32)))], "none", [],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    yield "no input", helper.make_model(none, ir_version=7, opset_imports=[
        helper.make_opsetid("", 13)]).SerializeToString()


def test_bad(b):
    for name, data in bad_models():
        r = b.plan(b.model("bad.onnx", data))
        check(r.returncode == 5 and r.stderr.count("\n") == 1 and
              r.stderr.startswith("kizunasr: error: unusable model: "), f"{name} is refused",
              f"{r.returncode} {r.stdout}{r.stderr}")
    rng = np.random.default_rng(7)
    good = Net().bytes
    for _ in range(10):
        data = bytearray(good)
        for at in rng.integers(0, len(data), 3):
            data[at] ^= 1 << rng.integers(0, 8)
        r = b.plan(b.model("bad.onnx", bytes(data)))
        check(r.returncode in (0, 5), "flipped bits: refused or run, no crash",
              f"{r.returncode} {r.stderr}")
    # Numbers that only some pictures bring forth are found while working.
    late = plain([helper.make_node("Sub", ["limit", "x"], ["a"]), helper.make_node("Sqrt", ["a"], ["b"]),
                  helper.make_node("Mul", ["b", "zero"], ["c"]), helper.make_node("Add", ["x", "c"], ["y"])],
                 [1, 1, "h", "w"], constants=[
                     numpy_helper.from_array(np.array(v, np.float32), n)
                     for n, v in (("limit", 0.95), ("zero", 0))])
    keep, b.film = b.film, b.path("bright.mkv")
    write_film(b.film, np.full((3, HEIGHT, WIDTH), 1000), "yuv444p10le")
    r = b.upscale("out2.mkv", b.model("late.onnx", late), "--ai-white", "1")
    check(r.returncode == 1 and r.stderr == "kizunasr: error: the model returns values that are not "
          "numbers\n", "NaN while working", f"{r.returncode} {r.stderr}")
    b.film = keep


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        b = Bench(program, folder)
        r = b.plan(b.model("net.onnx", Net().bytes))
        if "which runs .onnx models, is not installed" in r.stderr:
            print("there is no ONNX Runtime (make onnxruntime)\n0 passed, 0 failed, 1 skipped")
            sys.exit(77)
        for test in (test_shapes, test_colour, test_restorer, test_tiles, test_bundled, test_job,
                     test_devices, test_runtime, test_bad):
            test(b)
        test_shim(b, os.path.abspath(sys.argv[2]))
    finish()


if __name__ == "__main__":
    main()
