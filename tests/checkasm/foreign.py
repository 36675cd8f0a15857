#!/usr/bin/env python3
"""Another architecture, emulated: are the bytes the same there?

    foreign.py CHECKASM SOURCE_ROOT --level='NAME FLAGS'... LEVEL_FILES...

Row functions, pipelines and what they need are compiled for 64-bit Arm, without FFmpeg and the rest of
the library, and the row functions once more for each SIMD level, as src/meson.build does it. QEMU then
runs

  * checkasm's digests of plain C, which must be those of CHECKASM here,
  * checkasm in full, all levels against plain C, and a part of it on a processor with none but the lowest
    level, which stops at instructions beyond it,
  * stages: whole pipelines and networks on raw frames, at every level, against the recorded digests.

Ends with `N passed, N failed, N skipped`; skipped where the compiler (Debian: gcc-aarch64-linux-gnu)
or qemu-aarch64 (qemu-user) is not installed.
"""
import argparse, glob, os, shutil, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor

COMPILER, QEMU = "aarch64-linux-gnu-gcc", "qemu-aarch64"
OLDER = "cortex-a53"  # NEON and no more
SOURCES = ["src/core/*.c", "src/frame/*.c", "src/net/*.c", "src/stages/*.c"] + [
    f"src/{name}.c" for name in ("config/config", "config/table", "pipeline/cpu", "pipeline/device_name",
                                 "pipeline/no_device", "pipeline/pipeline", "pipeline/recipe")]
PROGRAMS = {"checkasm": ["tests/checkasm/*.c"], "stages": ["tests/golden/stages.c"]}
# xxHash is taken from its header, which is the same for all architectures. What needs other libraries is
# not called, and dropped.
FLAGS = ["-std=gnu11", "-O3", "-ffunction-sections", "-D_GNU_SOURCE", "-DXXH_INLINE_ALL", "-DKSR_HAVE_ARM",
         "-idirafter", "/usr/include"]
PART, WHOLE = ["-r", "-nostdlib"], ["-static", "-Wl,--gc-sections", "-lm", "-pthread"]
passed = failed = 0


def check(ok, what, detail=""):
    global passed, failed
    print(("ok   " if ok else "FAIL ") + what + ("" if ok else f": {detail}"))
    passed += bool(ok)
    failed += not ok
    return ok


def finish():
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


def compiled(root, result, patterns, *more):
    """Compiles files into one object file, or a program. Returns whether that worked."""
    where = {"MODELS_SOURCE": root + "/models", "MODELS_INSTALLED": "", "ORT_SOURCE": "", "ORT_INSTALLED": ""}
    sources = [name for p in patterns for name in sorted(glob.glob(os.path.join(root, p)))]
    r = subprocess.run([COMPILER, *FLAGS, *(f'-DKSR_{name}="{value}"' for name, value in where.items()),
                        f"-I{root}/src", f"-I{root}/include", *sources, *more, "-o", result], capture_output=True, text=True)
    return check(r.returncode == 0, f"{os.path.basename(result)}: compiled for 64-bit Arm", r.stderr[-2000:])


def output(*command):
    r = subprocess.run(command, capture_output=True, text=True)
    return r.stdout + r.stderr if r.returncode == 0 else f"status {r.returncode}: {(r.stdout + r.stderr)[-1500:]}"


def check_digests(here, there):
    for a, b in zip(here.splitlines(), there.splitlines() + [""] * 100):
        check(a == b, f"plain C: {a}", f"there {b}")


def check_levels(processor, text, expected):
    levels = {line.split()[0] for line in text.splitlines() if line.endswith(" ok")}
    check(" 0 failed" in text and levels == expected, f"{processor}: {', '.join(sorted(expected))} equal plain C", text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkasm", type=os.path.abspath)
    parser.add_argument("root", type=os.path.abspath)
    parser.add_argument("files", nargs="+", type=os.path.abspath)
    parser.add_argument("--level", action="append", default=[])
    o = parser.parse_args()
    if not shutil.which(COMPILER) or not shutil.which(QEMU):
        print(f"no {COMPILER} or {QEMU} here\n0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    levels = {words[0]: words[1:] for words in map(str.split, o.level)}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        objects = {name: f"{folder}/{name}.o" for name in ["c", *levels]}
        jobs = [pool.submit(compiled, o.root, objects["c"], SOURCES, *PART)]
        for name, flags in levels.items():
            jobs.append(pool.submit(compiled, o.root, objects[name], o.files, "-include", "core/level.h",
                                    f"-DKSR_LEVEL={name}", *flags, *PART))
        checkasm, stages = programs = [os.path.join(folder, name) for name in PROGRAMS]
        if not all(job.result() for job in jobs) or not all(
                compiled(o.root, program, patterns, *objects.values(), *WHOLE)
                for program, patterns in zip(programs, PROGRAMS.values())):
            finish()
        recorded = os.path.join(o.root, "tests/golden/stages.txt")
        digest = ["--digest", "--seed=1", "--every=23"]
        there, new, old, golden = (pool.submit(output, QEMU, *command) for command in (
            [checkasm, *digest], ["-cpu", "max", checkasm], ["-cpu", OLDER, checkasm, "--every=23"], [stages, recorded]))
        check_digests(output(o.checkasm, *digest), there.result())
        check_levels("all levels", new.result(), set(levels))
        check_levels(OLDER, old.result(), set(list(levels)[:1]))
        check(f"at {len(levels) + 1} levels: 0 differ" in golden.result(), "stages: what is recorded", golden.result())
    finish()


main()
