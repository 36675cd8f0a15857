"""Counting checks, for the scripts of this folder."""

import subprocess, sys

passed = failed = 0


def check(ok, what, detail=""):
    """Counts and prints one check; detail is shown when it failed."""
    global passed, failed
    print(("ok   " if ok else "FAIL ") + what + ("" if ok else f": {detail}"))
    passed += bool(ok)
    failed += not ok
    return ok


def run(*args, **options):
    """Runs a program; one that does not end is killed, which shows as a failure."""
    try:
        return subprocess.run(args, capture_output=True, text=True, timeout=120, **options)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(args, -9, "", "did not end")


def finish(skipped=0):
    """Prints the closing line and ends the script."""
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)
