#!/usr/bin/env python3
"""A small video upscaled on 64-bit Arm, emulated: the bytes must be those that this machine makes.

    arm64.py PROGRAM SAMPLE_PROGRAM SOURCE_ROOT

Takes the build of tools/arm64, brought up to date; skipped where it was not made (it needs about 100 MB of
packages). The processors are one with everything that QEMU emulates and one with NEON and no more.

Ends with `N passed, N failed, N skipped`.
"""
import os, subprocess, sys, tempfile

from checks import check, finish, run

RUNS = {
    "x264, default settings": ["--codec", "libx264"],
    "x265, all stages": ["--codec", "libx265", "--structure-smoothing", "0.5", "--sharpening", "1", "--line-darkening",
                         "0.5", "--contrast-boost", "1.1", "--saturation-boost", "1.1", "--temporal"],
    "FFV1, AI mode": ["--codec", "ffv1", "--use-ai", "--ai-model", "anime-fast"],
}
PROCESSORS = {"max": "dotprod", "cortex-a53": "neon"}


def upscaled(command, video, output, options):
    """Returns the output's bytes, or what went wrong as text."""
    r = run(*command, "upscale", video, output, "--progress", "none", "--threads", "2", "--workers", "1", "--overwrite",
            *options)
    if r.returncode or "verified" not in r.stdout:
        return f"status {r.returncode}: {r.stdout}{r.stderr[-500:]}"
    with open(output, "rb") as file:
        return file.read()


def main():
    program, sample, root = map(os.path.abspath, sys.argv[1:4])
    build = os.path.join(root, "build-arm64")
    if not os.path.exists(os.path.join(build, "build.ninja")):
        print("no build-arm64 here (tools/arm64 makes it)\n0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    r = run("meson", "compile", "-C", build)
    check(r.returncode == 0, "build-arm64 is up to date", r.stdout[-2000:])
    emulator = ["qemu-aarch64", "-L", os.path.join(root, "build-arm64-libraries/root")]
    with tempfile.TemporaryDirectory() as folder:
        video = os.path.join(folder, "video.mkv")
        r = run(sample, "--width", "96", "--height", "54", "--frames", "4", "--vcodec", "ffv1", video)
        check(r.returncode == 0, "a video is drawn", r.stderr)
        for processor, level in PROCESSORS.items():
            r = run(*emulator, "-cpu", processor, build + "/kizunasr", "devices", "--json")
            check(f'"simd": "{level}"' in r.stdout, f"{processor}: the level is {level}", r.stdout + r.stderr)
        for name, options in RUNS.items():
            here = upscaled([program], video, os.path.join(folder, "here.mkv"), options)
            check(isinstance(here, bytes), f"{name}: this processor", here)
            for processor in PROCESSORS:
                there = upscaled([*emulator, "-cpu", processor, build + "/kizunasr"], video,
                                 os.path.join(folder, "there.mkv"), options)
                check(there == here, f"{name}: the same bytes on {processor}",
                      there if isinstance(there, str) else "other bytes")
    finish()


main()
