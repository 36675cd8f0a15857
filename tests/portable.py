#!/usr/bin/env python3
"""The sources are C11 for another compiler, and for macOS: portable.py BUILD_FOLDER

Clang checks every file of library, program, plugin, sample generator and examples with `-std=c11 -pedantic -Werror`
and unit/darwin.h, without glibc's extensions and without libnettle. Files that ask for the system are checked as they
are, too. Files of GPUs and of SIMD levels are checked as they are alone. This is not a check of macOS's headers: it
shows that code for Linux has a counterpart, and that this compiles.
"""

import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OURS = ("src/", "cli/", "tools/", "examples/", "plugins/")
SYSTEM = re.compile(r"__linux__|__APPLE__|__GLIBC__|_GNU_SOURCE|_WIN32")
HERE = ("-D_GNU_SOURCE", "-DKSR_HAVE_NETTLE")
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


def asks_for_system(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return SYSTEM.search(file.read())


def main():
    build = os.path.abspath(sys.argv[1])
    if not shutil.which("clang"):
        print("skipped: clang is not installed")
        return 77
    jobs = []
    for path, level, kept in commands(build):
        here_alone = path.startswith("src/vulkan/") or level
        if here_alone or asks_for_system(path):
            jobs.append((path, kept, []))
        if not here_alone:
            jobs.append((path, [w for w in kept if not w.startswith(HERE)], DARWIN))
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
