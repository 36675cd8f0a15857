#!/usr/bin/env python3
"""The sources are C11 for another compiler, and for macOS: portable.py BUILD_FOLDER

Clang checks every file of library, program, plugin, sample generator and examples with `-std=c11 -pedantic -Werror`
twice: as it is, and with unit/darwin.h, without glibc's extensions. The second check is not one of macOS's
headers: it shows that code for Linux has a counterpart, and that this compiles.
"""

import concurrent.futures
import json
import os
import shlex
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OURS = ("src/", "cli/", "tools/", "examples/", "plugins/")
LEVELS = ("avx2", "amx")  # the others use parts of the same
DARWIN = ["-U_GNU_SOURCE", "-D_POSIX_C_SOURCE=200809L", "-D_DEFAULT_SOURCE", "-include",
          os.path.join(ROOT, "tests/unit/darwin.h")]


def commands(build):
    """Yields file and arguments for each source of ours, without what only GCC knows."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    seen = set()
    for entry in entries:
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), ROOT)
        words = shlex.split(entry["command"])
        level = next((w.split("=")[1] for w in words if w.startswith("-DKSR_LEVEL=")), None)
        if not path.startswith(OURS) or (path, level) in seen or level not in (None, *LEVELS):
            continue
        seen.add((path, level))
        kept = [w for w in words if w[:2] in ("-I", "-D", "-m")]
        if level:
            kept += ["-include", "core/level.h"]
        yield path, level, kept


def check(build, path, kept, more):
    done = subprocess.run(
        ["clang", "-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers",
         "-Wno-deprecated-declarations", "-fsyntax-only", *more, *kept, os.path.join(ROOT, path)],
        cwd=build, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


def main():
    build = os.path.abspath(sys.argv[1])
    if not shutil.which("clang"):
        print("skipped: clang is not installed")
        return 77
    jobs = []
    for path, level, kept in commands(build):
        jobs.append((path, kept, []))
        if not path.startswith("src/vulkan/") and not level:
            jobs.append((path, [w for w in kept if w != "-D_GNU_SOURCE"], DARWIN))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for job, (good, text) in zip(jobs, pool.map(lambda job: check(build, *job), jobs)):
            if not good:
                failed += 1
                print(f"FAILED {job[0]} {'as on macOS' if job[2] else ''}\n{text}")
    print(f"{len(jobs) - failed} passed, {failed} failed, 0 skipped")
    return int(failed > 0 or not jobs)


if __name__ == "__main__":
    sys.exit(main())
