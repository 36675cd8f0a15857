#!/usr/bin/env python3
"""Encoders in hardware on a machine without any.

Each one that this FFmpeg has is refused at plan time, with FFmpeg's reason and what to type instead. What
--crf, --preset, 10 bits and HDR become is seen with `standin` (standin.c), which is the program with
encoders that take their options from FFmpeg's tables and make their packets in software.

  hardware.py KIZUNASR STANDIN

Ends with `N passed, N failed, N skipped`.
"""
import fractions, json, os, pathlib, re, shutil, subprocess, sys, tempfile

from checks import check, finish, run

program, standin = (os.path.abspath(p) for p in sys.argv[1:3])
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
WRAPPERS = ("nvenc", "qsv", "vaapi", "amf", "videotoolbox", "v4l2m2m", "omx")
FAST = ("--workers", "1", "--threads", "1", "--overwrite", "--fresh")
HDR = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc", "-color_range", "tv", "-x265-params",
       "log-level=none:hdr10=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:max-cll=1000,400:master-display="
       "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)")


def make(path, *options):
    r = run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=8:duration=1", *options, path)
    assert r.returncode == 0, r.stderr


def encoders():
    listed = run("ffmpeg", "-hide_banner", "-v", "error", "-encoders").stdout
    return [word for word in re.findall(r"^ V\S+ (\S+)", listed, re.M) if word.split("_")[-1] in WRAPPERS]


def try_refusals():
    """Returns how many were not tried, because they work here."""
    able = 0
    # FFmpeg 5.1 leaks in some of these when they cannot be opened.
    env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "exitcode=99") + ":detect_leaks=0")
    for name in encoders():
        r = run(program, "upscale", "in.mkv", "out.mkv", "--codec", name, env=env)
        errors = [line for line in r.stderr.splitlines() if "error: " in line]
        if r.returncode == 0:
            able += 1
            continue
        told = re.fullmatch(rf"kizunasr: error: failed to open encoder {name} \(128x128, \w+\): \S.*[^.] \(use --codec ([\w-]+)\)",
                            errors[0] if errors else "")
        check(r.returncode == 2 and len(errors) == 1 and told, f"{name} is refused with a reason and another encoder", r.stderr)
        check(not list(pathlib.Path().glob("out.mkv*")), f"{name} leaves nothing behind")
        if told and name in ("h264_nvenc", "hevc_vaapi"):
            r = run(program, "upscale", "in.mkv", "out.mkv", "--codec", told[1], *FAST)
            check(r.returncode == 0, f"{told[1]}, named by the message for {name}, works", r.stderr)
            os.remove("out.mkv")
    return able


def stand_in(name, *options, source="in.mkv", gpu="GPU A, driver 1", verb="upscale", out="out.mkv"):
    """A run, and the line for every different opening of the encoder."""
    pathlib.Path("log").unlink(missing_ok=True)
    env = dict(os.environ, STANDIN=name.split("_")[-1], STANDIN_LOG="log", **({"STANDIN_GPU": gpu} if gpu else {"STANDIN_ROOT": "root"}))
    words = (source, out, "--codec", name, "--workers", "1", "--threads", "1", *options) if verb in ("upscale", "plan") else options
    r = run(standin, verb, *words, env=env)
    log = pathlib.Path("log")
    return r, sorted(set(log.read_text().splitlines())) if log.exists() else []


# encoder, options, input, what it is opened with
MAPPED = [
    ("h264_nvenc", ("--crf", "20"), "in.mkv", "yuv420p - 128x128: preset=p4 rc=vbr cq=20 global_quality=0 b=0"),
    ("h264_nvenc", ("--preset", "placebo"), "in10.mkv", "yuv420p - 128x128: preset=p7 rc=vbr cq=18 global_quality=0 b=0"),
    ("h264_nvenc", ("--crf", "0"), "in.mkv", "yuv420p - 128x128: preset=p4 tune=lossless global_quality=0 b=0"),
    ("h264_nvenc", ("--preset", "p6"), "in.mkv", "yuv420p - 128x128: preset=p6 rc=vbr cq=18 global_quality=0 b=0"),
    ("hevc_nvenc", ("--preset", "ultrafast", "--encoder-option", "spatial-aq=1"), "in10.mkv",
     "p010le - 128x128: preset=p1 rc=vbr cq=18 spatial-aq=1 global_quality=0 b=0"),
    ("hevc_nvenc", ("--bitrate", "500k"), "in.mkv", "yuv420p - 128x128: preset=p4 global_quality=0 b=500000"),
    ("h264_qsv", ("--crf", "0", "--preset", "superfast"), "in.mkv",
     "nv12 - 128x128: preset=veryfast global_quality=1 global_quality=1 b=0"),
    ("hevc_qsv", ("--crf", "30"), "in10.mkv", "p010le - 128x128: preset=medium global_quality=30 global_quality=30 b=0"),
    ("h264_vaapi", ("--crf", "22"), "in.mkv", "vaapi nv12 128x128: rc_mode=CQP qp=22 global_quality=0 b=0"),
    ("hevc_vaapi", ("--preset", "veryslow"), "in10.mkv",
     "vaapi p010le 128x128: compression_level=1 rc_mode=CQP qp=18 global_quality=0 b=0"),
    ("hevc_vaapi", ("--pixel-format", "p010le"), "in.mkv", "vaapi p010le 128x128: rc_mode=CQP qp=18 global_quality=0 b=0"),
]


def without(text, option):
    return re.sub(rf" {option}=\S+", "", text)


def try_mapping(here):
    verified = set()
    for name, options, source, wanted in MAPPED:
        if name not in here:
            continue
        what = f"{name} {' '.join(options)} of {source}"
        r, lines = stand_in(name, *options, *FAST, source=source)
        sizes = {line.split(":")[0].split()[-1] for line in lines}
        check(sizes == {"128x128", "384x288"}, f"{what}: no frames that are too small for GPUs", sizes)
        lines = {without(line, "split_encode_mode").replace("384x288", "128x128") for line in lines}
        if "--bitrate" in options:  # segments are encoded again, nearer to their rate
            lines = {re.sub(r" b=\d+", " b=500000", line) for line in lines}
        check(r.returncode == 0 and lines == {f"{name} {wanted}"}, what, f"{r.stderr} {lines}")
        if (name, source) not in verified:
            v = run(program, "verify", source, "out.mkv")
            check(v.returncode == 0, f"{what}: verified", v.stdout + v.stderr)
            verified.add((name, source))


def try_hdr(here):
    def tags(path):
        shown = json.loads(run("ffprobe", "-v", "error", "-select_streams", "v", "-show_streams", "-of", "json", path).stdout)["streams"][0]
        data = {d["side_data_type"]: d for d in shown.get("side_data_list", [])}
        light, display = data.get("Content light level metadata", {}), data.get("Mastering display metadata", {})
        return ([shown.get(k) for k in ("color_primaries", "color_transfer", "color_space", "color_range")],
                light.get("max_content"), light.get("max_average"), fractions.Fraction(display.get("max_luminance", "0")))

    for name in ("hevc_nvenc", "hevc_vaapi"):
        if name in here:
            r, _ = stand_in(name, *FAST, source="hdr.mkv")
            found = tags("out.mkv") if r.returncode == 0 else None
            check(found == (["bt2020", "smpte2084", "bt2020nc", "tv"], 1000, 400, 1000),
                  f"{name}: HDR10 and colour tags are read back", f"{r.stderr} {found}")
            check("lost" not in r.stderr, f"{name}: nothing of HDR10 is lost", r.stderr)


def try_surfaces(here):
    for name, wanted, takes in (("hevc_vaapi", "yuv444p", "nv12 p010le"), ("h264_vaapi", "yuv420p10le", "nv12")):
        if name in here:
            r, _ = stand_in(name, "--pixel-format", wanted, *FAST)
            check(r.returncode == 2 and f"{name} does not support '{wanted}' (it takes {takes})" in r.stderr, f"{name} says what it takes", r.stderr)
    if "h264_nvenc" in here:
        r, _ = stand_in("h264_nvenc", *FAST, source="in10.mkv")
        check("bit depth of the input (yuv420p10le) is lost: h264_nvenc writes yuv420p" in r.stderr, "8 bits of 10 are missed", r.stderr)


def try_key(name):
    """A job belongs to its GPU and driver."""
    r, _ = stand_in(name, "--overwrite", verb="plan", out="job.mkv")
    check(r.returncode == 0, "plan", r.stderr)
    r, _ = stand_in(name, "job.mkv.kizunasr", verb="work", gpu="GPU A, driver 2")
    check(r.returncode == 2 and f"planned for another GPU or driver of {name}: GPU A, driver 1, not GPU A, driver 2" in r.stderr,
          "work with another driver is refused", f"{r.returncode} {r.stderr}")
    r, _ = stand_in(name, out="job.mkv", gpu="GPU B, driver 1")
    check(r.returncode == 2 and "job.mkv.kizunasr belongs to another job: the GPU or driver of the encoder "
          "(GPU A, driver 1 there, GPU B, driver 1 now) differs (use --fresh to start over)" in r.stderr,
          "so is a run that finds the folder", f"{r.returncode} {r.stderr}")
    r, _ = stand_in(name, "--provenance", "job.json", out="job.mkv")
    record = json.loads(pathlib.Path("job.json").read_text()) if r.returncode == 0 else {}
    check(record.get("hardware") == "GPU A, driver 1" and record.get("promised") is False, "the record names GPU and driver", r.stderr)
    stand_in(name, verb="plan", out="joined.mkv")
    stand_in(name, "joined.mkv.kizunasr", verb="work")
    r, _ = stand_in(name, "joined.mkv.kizunasr", verb="join", gpu="unknown")
    check(r.returncode == 0 and os.path.exists("joined.mkv"), "what is encoded can be joined without that GPU", f"{r.returncode} {r.stderr}")
    r = run(program, "upscale", "in.mkv", "soft.mkv", *FAST, "--preset", "ultrafast", "--provenance", "soft.json")
    check("hardware" not in json.loads(pathlib.Path("soft.json").read_text()), "that of an encoder in software names none")


def machine(nodes, boot="boot 1", **files):
    """Lays the folder that stands for a machine: nodes are (PCI numbers, driver), no driver: it does not start."""
    shutil.rmtree("root", ignore_errors=True)
    files = {"/proc/sys/kernel/random/boot_id": boot, **{"/" + name: text for name, text in files.items()}}
    for i, (pci, driver) in enumerate(nodes, 128):
        files[f"/dev/dri/renderD{i}"] = driver
        for name, value in zip(("vendor", "device"), pci.split(":") if pci else ()):
            files[f"/sys/class/drm/renderD{i}/device/{name}"] = f"0x{value}"
    for name, text in files.items():
        if text is not None:
            path = pathlib.Path("root" + name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n" if text else "")


def identity(name, *options):
    """What the key has, and the devices that the encoder was opened with."""
    r, lines = stand_in(name, "--overwrite", *options, verb="plan", out="where.mkv", gpu=None)
    found = json.loads(pathlib.Path("where.mkv.kizunasr/manifest.json").read_text())["key"].get("hardware") if r.returncode == 0 else r.stderr
    shutil.rmtree("where.mkv.kizunasr", ignore_errors=True)
    return found, {line.split(": ")[0] for line in lines if line.count(": ") > 1}


def try_identity(here):
    """The key names the GPU that encodes, and nothing that is unknown is equal on two machines."""
    intel, amd, broken = ("8086:9a49", "iHD 23.1"), ("1002:73bf", "radeonsi"), ("10de:2684", "")
    for name in [name for name in ("h264_vaapi", "h264_qsv") if name in here]:
        for nodes, found in (((intel, amd), intel), ((amd, intel), amd), ((broken, intel), intel), ((broken, broken, amd, intel), amd)):
            machine(nodes)
            wanted = (", ".join(found), {found[1]})
            got = identity(name)
            check(got == wanted, f"{name}: key and encoder have the first node that opens of {nodes}", got)
        unknown = set()
        for boot in ("boot 1", "boot 2"):
            machine([(None, "panfrost")], boot)
            told, opened = identity(name)
            check(re.fullmatch(r"unknown GPU, panfrost \(boot [0-9a-f]{12}\)", told) and opened == {"panfrost"}, f"{name}: a GPU without numbers", told)
            check(identity(name)[0] == told, f"{name}: is the same until the next start", told)
            unknown.add(told)
        machine([broken], "boot 1", display="X11 driver")
        told, opened = identity(name)
        check(told.startswith("unknown GPU, X11 driver (boot ") and opened == {"X11 driver"}, f"{name}: no node opens, a display does", (told, opened))
        machine([(None, "x" * 200)], "boot 1")
        told, _ = identity(name)
        check(len(told) == 159 and re.search(r"x \(boot [0-9a-f]{12}\)$", told), f"{name}: a long name of a driver does not push the start out", told)
        check(len(unknown) == 2, f"{name}: what is unknown differs by machine and start", unknown)
    if "h264_nvenc" in here:
        for cards, options, wanted in (("A\nA", (), "A"), ("A 1\nA", (), "A 1+A"), ("A\nB\nA", (), "A+B+A"), ("A\nB", ("--encoder-option", "gpu=1"), "B")):
            machine([], cuda=cards, **{"sys/module/nvidia/version": "580.1"})
            told, _ = identity("h264_nvenc", *options)
            check(told == f"{wanted}, driver 580.1", f"h264_nvenc: any of {cards.split()} {options}", told)
        machine([], cuda="A")
        check(identity("h264_nvenc")[0] == "A, driver for CUDA 12.4", "h264_nvenc: without a module", identity("h264_nvenc"))
        machine([])
        told, _ = identity("h264_nvenc")
        check(re.fullmatch(r"unknown GPU, driver for CUDA 12.4 \(boot [0-9a-f]{12}\)", told), "h264_nvenc: no name", told)


def try_samples(here):
    """What encoders get is the same for all."""
    def samples(path):
        return [s["samples"] for s in json.loads(pathlib.Path(path).read_text())["segments"]]

    for source, soft, names in (("in.mkv", "yuv420p", ("h264_nvenc", "h264_qsv", "h264_vaapi")), ("in10.mkv", "yuv420p10le", ("hevc_nvenc", "hevc_vaapi"))):
        r = run(program, "upscale", source, "soft.mkv", *FAST, "--codec", "ffv1", "--pixel-format", soft, "--provenance", "soft.json")
        for name in names:
            if name in here:
                h, _ = stand_in(name, *FAST, "--provenance", "hard.json", source=source)
                check(r.returncode == h.returncode == 0 and samples("soft.json") == samples("hard.json"), f"{name} gets the frames that ffv1 gets", r.stderr + h.stderr)


make("in.mkv", "-c:v", "libx264", "-preset", "ultrafast")
make("in10.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv420p10le")
make("hdr.mkv", "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", *HDR)
here = encoders()
skipped = try_refusals()
try_mapping(here)
try_hdr(here)
try_surfaces(here)
try_samples(here)
try_identity(here)
for name in [name for name in ("h264_nvenc", "h264_vaapi", "h264_qsv") if name in here][:1]:
    try_key(name)
if not here:
    print("skipped: this FFmpeg has no encoders in hardware")
    skipped += 1
    check(True, "nothing to test")
finish(skipped)
