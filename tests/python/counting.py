"""Runs the tests of a script with unittest and counts them for tests/run.

The script's arguments: LIBRARY SAMPLE_PROGRAM [NAME]...: the library to load, the generator of
films, and names of tests as unittest takes them. With AddressSanitizer in the library, the runtime
has to be preloaded; meson.build does it.
"""

import os
import subprocess
import sys
import unittest

try:
    import numpy  # noqa: F401
except ImportError:
    print("numpy is missing\n0 passed, 0 failed, 1 skipped")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PACKAGE = os.path.join(ROOT, "bindings", "python")
COMPAT = os.path.join(PACKAGE, "compat")

LIBRARY, SAMPLE = (os.path.abspath(a) for a in sys.argv[1:3])
SANITIZED = "LD_PRELOAD" in os.environ
os.environ["KIZUNASR_LIBRARY"] = LIBRARY
os.environ["PYTHONPATH"] = os.pathsep.join((PACKAGE, COMPAT))  # for programs that tests start
sys.path[:0] = [PACKAGE, COMPAT]


def make_film(path, *options):
    """Draws a film; 64x48, 12 frames, with sound, unless told otherwise."""
    subprocess.run([SAMPLE, "--width", "64", "--height", "48", "--frames", "12", *options, path],
                   check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def main():
    program = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False)
    r = program.result
    for test, reason in r.skipped:
        print(f"skipped {test}: {reason}")
    bad = len(r.failures) + len(r.errors)
    print(f"{max(0, r.testsRun - bad - len(r.skipped))} passed, {bad} failed, "
          f"{len(r.skipped)} skipped", flush=True)
    sys.exit(1 if bad or not r.testsRun else 0)
