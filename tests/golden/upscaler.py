#!/usr/bin/env python3
"""Frames through ksr_upscaler are the frames of the program.

Lossless videos of many pixel formats are upscaled by the program into FFV1 and decoded to raw frames;
the same raw source frames go through the library's frame interface (examples/c/upscale_frames.c)
with the same settings. Both must be the same bytes: with filters, networks, the temporal stage over a
cut between segments, fitting and other pixel formats, whatever threads and SIMD levels there are.

  upscaler.py PROGRAM UPSCALE_FRAMES [--vulkan]

Ends with `N passed, N failed, N skipped`.
"""
import glob, os, shutil, subprocess, sys, tempfile

from checks import check, finish, run, some

WIDTH, HEIGHT = 53, 37  # odd, so that chroma is rounded up
# Two scenes with motion, on which noise flickers; the second begins in the middle.
SOURCE = (f"testsrc2=size=64x64:rate=2:duration=12,format=gbrp,crop={WIDTH}:{HEIGHT},noise=alls=12:allf=t:all_seed=7,"
          "negate=enable='gte(t,6)',format=FORMAT")

FILTERS = {"chroma_shift_x": "-0.75", "chroma_shift_y": "1.25", "denoise": "0.4", "deblock": "0.5", "dehalo": "0.5", "deband": "0.5", "structure_smoothing": "0.5", "antialias": "1", "guided_chroma": "1", "grain": "1.3:2,2.5,3,3.5,4,3,2,1:0.4:1.5:0.5",
           "sharpening": "0.7", "line_darkening": "0.4", "contrast_boost": "1.1", "saturation_boost": "1.2"}
TEMPORAL = {"enable_temporal": "true", "temporal_weight": "0.5", "motion_threshold": "0.2"}
AI = {"use_ai": "true"}
CHROMA = {**AI, "ai_model_path": "anime-fast", "ai_chroma": "anime-chroma"}

# Pixel format, range, matrix, settings.
CASES = [
    ("yuv420p", "tv", "bt709", {**FILTERS, **TEMPORAL}),
    ("yuv420p", "tv", "bt709", {}),
    ("yuv420p", "pc", "bt709", {"shader_scale": "4", **FILTERS}),
    ("yuv420p", "tv", "smpte170m", {**AI, **TEMPORAL, "denoise": "0.2"}),
    ("yuv420p", "tv", "smpte170m", {"composite": "1", "sharpening": "0.3", **TEMPORAL}),
    ("yuv420p", "tv", "smpte170m", {"pixel_format": "bgr0", "sharpening": "0.3"}),
    ("yuv420p10le", "tv", "bt709", FILTERS),
    ("yuv420p10le", "tv", "bt709", {**AI, "ai_scale": "4"}),
    ("yuv420p10le", "tv", "bt709", {"pixel_format": "yuv420p"}),
    ("yuv420p10le", "tv", "bt709", {"pixel_format": "yuv420p", "dither": "false"}),
    ("yuv420p", "tv", "bt709", {**CHROMA, **TEMPORAL}),
    ("yuv420p10le", "pc", "bt709", {**CHROMA, "ai_scale": "4"}),
    ("yuv422p", "tv", "bt709", FILTERS),
    ("yuv444p", "tv", "bt709", {**FILTERS, **TEMPORAL}),
    ("yuv444p", "pc", "bt709", AI),
    ("yuv420p", "tv", "bt709", {"fit": "80x80", "sharpening": "0.3"}),
    ("yuv422p", "tv", "smpte170m", {"composite": "0.5"}),
    ("yuv444p10le", "tv", "bt2020nc", {**TEMPORAL, "pixel_format": "yuv420p10le"}),
    ("gbrp", "pc", "unknown", FILTERS),
    ("gbrp10le", "pc", "unknown", {**AI, **TEMPORAL}),
    ("bgr0", "pc", "unknown", {}),
    ("gray", "pc", "unknown", FILTERS),
    ("gray16le", "pc", "unknown", TEMPORAL),
    ("yuva420p", "tv", "bt709", {**FILTERS, **TEMPORAL}),
]
RANGES = {"tv": "limited", "pc": "full"}
# The same by other ways; the first is that of the cases above.
WAYS = [(), ("threads=3", "simd=c"), ("threads=2", "simd=avx2")]
# Mesa's software GPU, where it is there: several frames are held.
GPU = {"VK_ICD_FILENAMES": icd for icd in glob.glob("/usr/share/vulkan/icd.d/lvp_icd*.json")}


def make_source(folder, pixel_format, color_range, matrix):
    """A lossless video with a keyframe at every frame, and its frames as they are decoded."""
    path = os.path.join(folder, f"{pixel_format}-{color_range}-{matrix}.mkv")
    if not os.path.exists(path):
        r = run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", SOURCE.replace("FORMAT", pixel_format), "-c:v", "ffv1",
                "-g", "1", "-color_range", color_range, "-colorspace", matrix, path)
        check(r.returncode == 0, f"{os.path.basename(path)} is made", r.stderr)
    return path, raw_frames(path, pixel_format)


def raw_frames(path, pixel_format):
    return subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", pixel_format, "-"],
                          stdout=subprocess.PIPE, check=False).stdout


def options_of(settings):
    """Settings as options of the program."""
    options = {"enable_temporal": "temporal"}
    for name, value in {"denoise": "0", **settings}.items():
        yield f"--{options.get(name, name).replace('_', '-')}={value}"


def by_program(program, source, output, settings):
    """What the program makes, in several segments where the source has several."""
    r = run(program, "upscale", source, output, "--codec", "ffv1", "--progress", "none", "--overwrite",
            "--workers", "2", *options_of(settings))
    if r.returncode != 0:
        return b"", r.stderr
    return raw_frames(output, settings.get("pixel_format", os.path.basename(source).split("-")[0])), r.stderr


def by_frames(upscale_frames, frames, case, more=()):
    pixel_format, color_range, matrix, settings = case
    arguments = [f"{name}={value}" for name, value in {"device": "cpu", **settings}.items()]
    tags = [f"range={RANGES[color_range]}"] + ([f"matrix={matrix}"] if matrix != "unknown" else [])
    return subprocess.run([upscale_frames, str(WIDTH), str(HEIGHT), pixel_format, *tags, *arguments, *more],
                          input=frames, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          env={**os.environ, **GPU})


def compare(folder, program, upscale_frames, case):
    pixel_format, color_range, matrix, settings = case
    what = f"{pixel_format} {color_range} {matrix} " + " ".join(f"{k}={v}" for k, v in settings.items())
    source, frames = make_source(folder, pixel_format, color_range, matrix)
    wanted, told = by_program(program, source, os.path.join(folder, "out.mkv"), settings)
    if "enable_temporal" in settings or "composite" in settings:
        check("segments: 1" not in told, f"{what}: several segments", told)
    if not check(frames and wanted, f"{what}: the program upscales", told):
        return
    for way in WAYS if len(settings) > 3 and TEMPORAL.items() <= settings.items() else WAYS[:1]:
        r = by_frames(upscale_frames, frames, case, way)
        check(r.returncode == 0 and r.stdout == wanted, f"{what} {' '.join(way)}",
              f"status {r.returncode}, {len(r.stdout)} bytes of {len(wanted)}: {r.stderr.decode()}")


def on_gpu(folder, upscale_frames):
    """Frames that a GPU holds, several at once, with the temporal stage."""
    case = ("yuv420p10le", "tv", "bt709", {"sharpening": "0.5", **TEMPORAL})
    _, frames = make_source(folder, *case[:3])
    cpu, gpu = (by_frames(upscale_frames, frames, case, (f"device={name}",)) for name in ("cpu", "vulkan:0"))
    check(gpu.stdout == cpu.stdout and gpu.stdout and not gpu.stderr, "frames on a GPU", gpu.stderr.decode())


def refusals(upscale_frames):
    """What frames cannot have is refused, with what to do instead."""
    for arguments, message in (
            (["denoise=auto"], "denoise: 'auto' is measured over a whole video (set a number, such as 0)"),
            (["use_ai=true", "ai_model_path=auto"], "ai_model_path: 'auto' is for files (name a network)"),
            (["crop=16:16:0:0"], "crop: is for files (let the planes begin at the first pixel wanted)"),
            (["deinterlace=frame"], "deinterlace: frames must be progressive"),
            (["device=all"], "device: 'all' names several devices (name one)"),
            (["use_ai=true", "ai_model_path=none"], "model not found: none")):
        r = by_frames(upscale_frames, b"", ("yuv420p", "tv", "bt709", {}), arguments)
        check(r.returncode == 1 and message in r.stderr.decode(), " ".join(arguments), r.stderr)


def main():
    program, upscale_frames = map(os.path.abspath, sys.argv[1:3])
    has_vulkan = "--vulkan" in sys.argv
    folder = tempfile.mkdtemp()
    try:
        for case in some(CASES):
            compare(folder, program, upscale_frames, case)
        refusals(upscale_frames)
        if GPU and has_vulkan:
            on_gpu(folder, upscale_frames)
    finally:
        shutil.rmtree(folder)
    finish(0 if GPU and has_vulkan else 1)


if __name__ == "__main__":
    main()
