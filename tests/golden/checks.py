"""Counting checks, for the scripts of this folder."""

import os, subprocess, sys, time

LIMIT = 300  # seconds: of a sanitized run on a busy machine
passed = failed = 0
told = {}  # answers of programs that only read files
START = time.monotonic()
SECONDS = int(os.environ.get("KIZUNASR_TEST_SECONDS", "0"))  # after which a script ends with what it has, 0 = never
EVERY = int(os.environ.get("KIZUNASR_TEST_EVERY", "1"))


def check(ok, what, detail=""):
    """Counts and prints one check; detail is shown when it failed."""
    global passed, failed
    print(("ok   " if ok else "FAIL ") + what + ("" if ok else f": {detail}"))
    passed += bool(ok)
    failed += not ok
    if SECONDS and time.monotonic() - START > SECONDS:
        print(f"ended after {SECONDS} s: the rest is tried without sanitizers")
        finish()
    return ok


def some(cases, needed=()):
    """Cases to try: all of them, or with KIZUNASR_TEST_EVERY=N the first of every N and those whose first word, their
    name, is needed later. tests/run sets it for builds with sanitizers: results are judged by the plain build, and
    there, cases that run the same code add nothing."""
    return [case for i, case in enumerate(cases) if i % EVERY == 0 or (needed and case[0] in needed)]


def question(args):
    """What tells an answer of ffprobe, or of an ffmpeg that writes to its output alone, from others: the
    command and the state of its files. None for other commands."""
    if args[0] != "ffprobe" and (args[0] != "ffmpeg" or args[-1] != "-"):
        return None
    states = [os.stat(a) for a in args[1:] if os.path.isfile(a)]
    return (args, *((s.st_ino, s.st_size, s.st_ctime_ns) for s in states)) if states else None


def stand_in(program):
    """What to run in its place: tests/start, if it is kept loaded."""
    loaded = os.path.abspath(program) == os.environ.get("STARTED_PROGRAM")
    return os.path.join(os.environ["STARTED"], "kizunasr") if loaded else program


def run(*args, **options):
    """Runs a program; one that does not end is killed, which shows as a failure. A program that only
    reads files is not asked the same twice while they stay as they are: most of its time is its start."""
    asked = None if options else question(args)
    if asked in told:
        return told[asked]
    try:
        answer = subprocess.run((stand_in(args[0]), *args[1:]), capture_output=True, text=True, timeout=LIMIT, **options)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(args, -9, "", "did not end")
    if asked:
        told[asked] = answer
    return answer


def finish(skipped=0):
    """Prints the closing line and ends the script."""
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)
