#!/usr/bin/env python3
"""Another architecture, emulated: does plain C make the same bytes there?

    foreign.py CHECKASM SOURCE_ROOT

Row functions, checkasm and what they need are compiled for 64-bit Arm, without FFmpeg and the rest
of the library, and run by QEMU. The digests of all functions must be those of CHECKASM here.

Ends with `N passed, N failed, N skipped`; skipped where the compiler (Debian: gcc-aarch64-linux-gnu)
or qemu-aarch64 (qemu-user) is not installed.
"""
import glob, os, shutil, subprocess, sys, tempfile

COMPILER, QEMU = "aarch64-linux-gnu-gcc", "qemu-aarch64"
SOURCES = ["tests/checkasm/*.c", "src/stages/*.c", "src/config/table.c"] + [
    f"src/{folder}/{name}.c" for folder, names in {
        "core": ["cpu", "hash", "mem"], "frame": ["dispatch", "frame", "level", "pack", "rgb"],
        "net": ["conv", "model", "net", "rows"]}.items() for name in names]
# xxHash is taken from its header, which is the same for all architectures.
FLAGS = ["-std=gnu11", "-O2", "-static", "-D_GNU_SOURCE", "-DXXH_INLINE_ALL", "-idirafter", "/usr/include", "-Isrc",
         "-Iinclude"]


def digests(*command):
    r = subprocess.run([*command, "--digest", "--seed=1", "--every=23"], capture_output=True, text=True)
    return r.stdout.splitlines() if r.returncode == 0 else [f"status {r.returncode}: {r.stderr[-500:]}"]


def main():
    if not shutil.which(COMPILER) or not shutil.which(QEMU):
        print(f"no {COMPILER} or {QEMU} here\n0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    checkasm, root = os.path.abspath(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "checkasm")
        sources = [name for pattern in SOURCES for name in sorted(glob.glob(pattern, root_dir=root))]
        r = subprocess.run([COMPILER, *FLAGS, *sources, "-o", program, "-lm", "-pthread"], cwd=root,
                           capture_output=True, text=True)
        if r.returncode:
            print(f"FAIL compiled for 64-bit Arm: {r.stderr[-2000:]}\n0 passed, 1 failed, 0 skipped")
            sys.exit(1)
        here, there = digests(checkasm), digests(QEMU, program)
    failed = 0
    for a, b in zip(here, there + [""] * len(here)):
        failed += a != b
        print("ok   " + a if a == b else f"FAIL here {a}, there {b}")
    print(f"{len(here) - failed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


main()
