#!/usr/bin/env python3
"""Older processors, emulated: does anything go beyond the level that was chosen?

    emulated.py CHECKASM PROGRAM SAMPLE_PROGRAM

`--cpu` chooses an older level on a new processor, where an instruction that the level must not have
would run all the same. QEMU's emulated processors stop at it. Haswell has AVX2 and no more, Nehalem
has neither AVX nor AVX2. Levels with AVX-512, AVX-VNNI and AMX cannot be had this way: QEMU does not
emulate those instructions.

Ends with `N passed, N failed, N skipped`; skipped where qemu-x86_64 is not installed.
"""
import os, platform, shutil, subprocess, sys, tempfile

QEMU = shutil.which("qemu-x86_64")


def emulated(processor, *args):
    return subprocess.run([QEMU, "-cpu", processor, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def digest(run, program, film, output, *options):
    """Upscales two small frames. Returns the output's bytes, or what went wrong as text."""
    r = run(program, "upscale", film, output, "--codec", "ffv1", "--progress", "none", "--threads", "1", "--workers",
            "1", *options)
    if r.returncode:
        return f"status {r.returncode}: {r.stderr[-500:]}"
    with open(output, "rb") as file:
        return file.read()


def main():
    if not QEMU or platform.machine() != "x86_64":
        print("no qemu-x86_64 here\n0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    checkasm, program, sample = (os.path.abspath(p) for p in sys.argv[1:4])
    results = []

    def check(ok, what, detail=""):
        print(("ok   " if ok else "FAIL ") + what + ("" if ok else f": {detail}"))
        results.append(bool(ok))

    r = emulated("Haswell", checkasm, "--every=7")
    check(r.returncode == 0 and " 0 failed" in r.stdout, "Haswell: AVX2 equals plain C",
          f"status {r.returncode}: {r.stdout[-1500:]}")
    levels = {line.split()[0] for line in r.stdout.splitlines() if line.endswith(" ok")}
    check(levels == {"avx2"}, "Haswell: no level beyond AVX2 is taken", levels)

    with tempfile.TemporaryDirectory() as folder:
        film = os.path.join(folder, "film.mkv")
        native = lambda *args: subprocess.run(args, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        r = native(sample, "--width", "96", "--height", "54", "--frames", "2", "--vcodec", "ffv1", "--no-audio",
                   "--no-title", "--no-chapters", film)
        check(r.returncode == 0, "a film is drawn", r.stderr)
        everything = ["--chroma-shift-x", "0.75", "--chroma-shift-y", "1", "--deblock", "0.5", "--dehalo", "0.5", "--deband", "0.5", "--guided-chroma", "1", "--structure-smoothing", "0.5", "--antialias", "1", "--grain", "1.3:2,2.5,3,3.5,4,3,2,1:0.4:1.5:0.5",
                      "--sharpening", "1", "--line-darkening", "0.5", "--contrast-boost", "1.1",
                      "--saturation-boost", "1.1", "--temporal"]
        for name, options in {"all stages": everything, "AI mode": ["--use-ai", "--ai-model", "anime-fast"]}.items():
            here = digest(native, program, film, os.path.join(folder, "here.mkv"), "--overwrite", *options)
            check(isinstance(here, bytes), f"{name}: this processor", here)
            for processor in "Haswell", "Nehalem":
                run = lambda *args: emulated(processor, *args)
                there = digest(run, program, film, os.path.join(folder, "there.mkv"), "--overwrite", *options)
                check(there == here, f"{name}: the same bytes on {processor}",
                      there if isinstance(there, str) else "other bytes")
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    sys.exit(0 if all(results) else 1)


main()
