#!/usr/bin/env python3
"""Which devices a run chooses, what it says of them, and that the bytes stay the same.

Mesa's software device passes for a graphics card behind the layer of tests/gpu/layer.c, which also
loses it in the middle.

  devices.py PROGRAM FOLDER_OF_THE_LAYER

Ends with `N passed, N failed, N skipped`.
"""
import glob, hashlib, json, os, re, shutil, signal, subprocess, sys, tempfile

from checks import check, finish, run, some

DRIVER = {"VK_ICD_FILENAMES": icd for icd in glob.glob("/usr/share/vulkan/icd.d/lvp_icd*.json")}
GPU = r"llvmpipe \(.*\) \(llvmpipe .*\)"

RESTORED = {"composite": ["--composite", "0.5"], "descale": ["--descale", "32x21:bicubic"], "grain": ["--grain", "1:9,8,2,9,4,7,5,6:0.5:3:0.3"]}


class Runs:
    def __init__(self, program, layer, folder):
        self.program, self.folder = program, folder
        self.card = {**DRIVER, "VK_INSTANCE_LAYERS": "VK_LAYER_KSR_test", "VK_LAYER_PATH": layer}
        self.source, self.output = (os.path.join(folder, f) for f in ("in.mkv", "out.mkv"))
        self.work = self.output + ".kizunasr"
        subprocess.run(["ffmpeg", "-v", "error", "-cpuflags", "0", "-f", "lavfi", "-i", "testsrc2=size=48x32:rate=24:duration=30",
                        "-c:v", "mpeg4", "-g", "48", self.source], check=True)
        self.reference = None

    def run(self, *args, env=None):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("VK_", "KSR_LAYER", "KIZUNASR_DEVICE"))}
        clean["MESA_SHADER_CACHE_DIR"] = clean.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        return run(self.program, *args, env={**clean, "XDG_CACHE_HOME": self.folder, **(env or {})})

    def upscale(self, *args, env=None):
        """The result's line after the name, and the messages, of a run whose output has the right bytes."""
        r = self.run("upscale", self.source, self.output, "--preset", "ultrafast", "--progress", "none", "--overwrite", *args, env=env)
        return self.outcome(" ".join(args) or "by default", r)

    def outcome(self, what, r):
        if not check(r.returncode == 0, what, f"status {r.returncode}: {r.stderr}"):
            shutil.rmtree(self.work, ignore_errors=True)
            return "", r.stderr
        with open(self.output, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        self.reference = self.reference or digest
        check(digest == self.reference, f"{what}: the same bytes", digest)
        return r.stdout.strip(), r.stderr


def ran_on(line):
    """What a result's line says of devices and warnings, after the check."""
    return line.partition("verified")[2]


def devices_shown(said):
    """What the lines of --progress json say of devices, while segments are made."""
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    check(all((p["devices"] is None) == (p["phase"] != "work") for p in lines), "devices in phase work alone", said)
    return {p["devices"] for p in lines} - {None}


def test_choice(r):
    line, said = r.upscale("--device", "cpu", env=r.card)
    check(ran_on(line) == "" and "run on" not in said, "cpu: no GPU", line + said)
    line, said = r.upscale("--log-level", "debug", env={"VK_ICD_FILENAMES": "none"})
    check(ran_on(line) == "" and "debug: device: the processor runs the stages: " in said and "warning" not in said,
          "by default without a driver: the processor", line + said)
    line, said = r.upscale("--log-level", "debug", env=DRIVER)
    check(ran_on(line) == "" and "a software device, used only if named" in said and "warning" not in said,
          "by default: no software device", line + said)
    line, said = r.upscale(env=r.card)
    check(re.fullmatch(", " + GPU, ran_on(line)) and re.search(f"^kizunasr: stages run on {GPU}$", said, re.M),
          "by default: a GPU where there is one", line + said)
    line, said = r.upscale("--device", "cpu,vulkan:7,vulkan:0", env=r.card)
    check("kizunasr: warning: device: vulkan:7 is not used: there is no GPU 7 ('kizunasr devices' lists them)\n" in said and
          ran_on(line).endswith(", 1 warning"), "one of several is not there", line + said)
    line, said = r.upscale("--device", "all", env=DRIVER)
    check(ran_on(line) == ", 1 warning" and "warning: device: the processor runs the stages: no usable GPU" in said,
          "all without a GPU", line + said)
    line, said = r.upscale(env={**r.card, "KIZUNASR_DEVICE": "cpu"})
    check(ran_on(line) == "", "the variable", line + said)


def test_several(r):
    line, said = r.upscale("--device", "vulkan:0,vulkan", "--workers", "3", "--progress", "json", env=r.card)
    check(devices_shown(said) == {"vulkan:0"}, "the progress names the GPU", said)
    check(re.fullmatch(", " + GPU, ran_on(line)) and said.count("stages run on") == 2, "two GPUs", line + said)
    times = os.path.join(r.folder, "times.json")
    line, said = r.upscale("--device", "all", "--stage-times", times, env=r.card)
    with open(times, encoding="utf-8") as f:
        segments = json.load(f)["segments"]
    made = {}
    for s in segments:
        made[s["device"]] = made.get(s["device"], 0) + s["frames"]
    check("cpu" in made and sum(made.values()) == 720, "all: the processor makes segments", str(made))
    check("stages run on the processor, too" in said, "all: is said", said)
    told = ", ".join(f"{name}: {frames} frames" for name, frames in made.items()) if len(made) > 1 else ""
    check(told in line, "all: the result names the frames of each device", f"{line}\n{made}")
    line, said = r.upscale("--device", "vulkan:0,cpu", "--workers", "2", env={**r.card, "KSR_LAYER_DELAY": "100000"})
    check(ran_on(line) == "" and "stages run on llvmpipe" in said, "a worker without work takes over a slow one's segment", line + said)
    slow = r.run("upscale", r.source, os.path.join(r.folder, "slow.mkv"), "--preset", "veryslow", "--progress", "json",
                 "--device", "vulkan:0,cpu", "--workers", "2", env=r.card).stderr
    check("2 devices" in devices_shown(slow), "the progress counts several devices", slow)


def test_faults(r):
    line, said = r.upscale("--workers", "1", env={**r.card, "KSR_LAYER_LOSE": "70"})
    check(re.search("warning: device: the processor goes on, with the same result: .*the GPU was lost", said) and
          re.search(f"device: {GPU} is tried again", said), "a GPU that is lost is tried again", said)
    check(re.fullmatch(f", cpu: [0-9]+ frames, {GPU}: [0-9]+ frames, 1 warning", ran_on(line)),
          "a segment in which it was lost counts as the processor's", line)
    line, said = r.upscale("--device", "vulkan:0,vulkan:0,cpu", "--workers", "3", env={**r.card, "KSR_LAYER_LOSE": "80"})
    check(said.count("the processor goes on") == 1, "one of two is lost", said)


def test_apart(r):
    """Planned with a GPU, worked on without, joined: and the other way round; killed and resumed with another list."""
    args = [r.source, r.output, "--preset", "ultrafast", "--progress", "none", "--overwrite"]
    for plan, work, message in ((r.card, {"VK_ICD_FILENAMES": "none"}, True), ({}, r.card, False)):
        check(r.run("plan", *args, env=plan).returncode == 0, "planned")
        said = r.run("work", r.work, "--device", "vulkan:0", env=work).stderr
        check(("warning: device: the processor runs the stages: " in said) == message, "a GPU that is gone", said)
        r.outcome("joined", r.run("join", r.work, "--overwrite"))
    env = {k: v for k, v in os.environ.items() if not k.startswith("VK_")}
    p = subprocess.Popen([r.program, "upscale", *args, "--device", "all", "--workers", "2"], env={**env, **r.card},
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while p.poll() is None and not glob.glob(os.path.join(r.work, "*.seg")):
        pass
    p.send_signal(signal.SIGKILL)
    p.wait()
    line, said = r.upscale("--device", "vulkan,cpu", env=r.card)
    check("kizunasr: " in said, "resumed with another list", said)


def test_restored(r):
    """What is done to frames before and after the chains, on a GPU and without."""
    for name, options in some(RESTORED.items()):
        args = ["--preset", "ultrafast", "--progress", "none", "--overwrite", "--duration", "3", *options]
        made = {}
        for device, env in (("cpu", {}), ("vulkan:0", r.card), ("lost", {**r.card, "KSR_LAYER_LOSE": "40"})):
            out = r.run("upscale", r.source, r.output, *args, "--device", "cpu" if device == "cpu" else "vulkan:0", "--workers", "1", env=env)
            with open(r.output, "rb") as f:
                made[device] = hashlib.sha256(f.read()).hexdigest()
            check(("llvmpipe" in ran_on(out.stdout)) == (device == "vulkan:0") and
                  ("the processor goes on" in out.stderr) == (device == "lost"), f"{name}: on {device}", out.stdout + out.stderr)
        check(len(set(made.values())) == 1, f"{name}: the same bytes", str(made))


def test_bench(r):
    bench = ("bench", "--size", "24x24", "--time", "10", "--threads", "1")
    result = json.loads(r.run(*bench, "--json", env=r.card).stdout)
    gpu, = result["gpus"]
    check(re.fullmatch(GPU, gpu["name"]) and [(g["name"], g["scale"]) for g in gpu["runs"]] ==
          [(c["name"], c["scale"]) for c in result["runs"]] and gpu["gigamultiplications_per_second"] > 0,
          "bench: the runs of the processor, on a GPU", str(gpu))
    names = [[k["name"] for k in g["kernels"]] for g in gpu["runs"]]
    check(names[0] == ["convert", "normalize", "upscale"] and names[3] ==
          ["convert", "temporal", "deblock", "chroma shift", "dehalo", "normalize", "deband", "structure", "antialias", "upscale", "enhance"] and
          names[4] == ["convert", "composite", "descale", "normalize", "upscale", "fit", "grain"] and "net body" in names[5] and
          all(abs(sum(k["share"] for k in g["kernels"]) - 1) < 1e-3 and
              abs(sum(k["ms"] for k in g["kernels"]) / g["kernels_ms"] - 1) < 1e-3 for g in gpu["runs"]), "bench: kernels", str(names))
    check(all(gpu[f"{way}_gigabytes_per_second"] > 0 for way in ("upload", "download")) and
          all(0 < g["upload_ms"] < g["ms"] and 0 < g["download_ms"] < g["ms"] and g["rows_frames_per_second"] > 0 for g in gpu["runs"]),
          "bench: copies are measured", str(gpu))
    ways = [way for g in gpu["runs"] for way in g.get("ways", [])]
    check({(g["name"], w["multiplies_by"]) for g in gpu["runs"] for w in g.get("ways", [])} >= {("anime-fast", "int32"), ("anime-ultra", "int32")} and
          all(len(w["layers"]) > 2 and w["ms"] > 0 and abs(sum(l["ms"] for l in w["layers"]) / w["ms"] - 1) < 1e-3 and
              all(l["kernel"].startswith("net_") and l["gigamultiplications_per_second"] > 0 for l in w["layers"]) for w in ways),
          "bench: networks by every way, layer by layer", str(ways))
    # Where that is depends on the machine, as warming up takes time, not a number of frames: at the peaks, or at a run.
    lost = r.run(*bench, "--json", env={**r.card, "KSR_LAYER_LOSE": "400"})
    check("the GPU was lost" in lost.stderr and
          (lost.returncode == 1 and not lost.stdout or len(json.loads(lost.stdout)["gpus"][0]["runs"]) < len(gpu["runs"])),
          "bench: no figure of a GPU that was lost", lost.stderr + lost.stdout[-500:])
    none = r.run(*bench, "--device", "vulkan:7", env=DRIVER)
    check(none.returncode != 0 and none.stderr == "kizunasr: error: device: there is no GPU 7 ('kizunasr devices' lists them)\n",
          "bench: a GPU that is not there", none.stderr)


def main():
    program, layer = (os.path.abspath(a) for a in sys.argv[1:3])
    if not DRIVER or not os.path.exists(os.path.join(layer, "ksr_layer.so")):
        print("0 passed, 0 failed, 1 skipped")
        return 0
    folder = tempfile.mkdtemp()
    r = Runs(program, layer, folder)
    for test in (test_choice, test_several, test_faults, test_apart, test_restored, test_bench):
        test(r)
    shutil.rmtree(folder)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
