"""Dates of outputs, and pipes as input and output. Usage: pipes.py KIZUNASR"""

import os, pathlib, shutil, subprocess, sys, tempfile
from checks import check, finish

program = os.path.abspath(sys.argv[1])
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
FAST = ["--workers", "1", "--threads", "1", "--log-level", "warning"]


def run(*args, **options):
    """Runs a program on bytes; one that does not end is killed, which shows as a failure."""
    options.setdefault("stdin", subprocess.DEVNULL)
    try:
        return subprocess.run(args, capture_output=True, timeout=100, **options)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(args, -9, b"", b"did not end")


def date(name):
    return os.stat(name).st_mtime_ns


def dated(name, r, out, wanted):
    check(r.returncode == 0 and date(out) == wanted, name, f"{r.returncode} {date(out) if os.path.exists(out) else None} {r.stderr}")


run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x48:d=0.4:r=10", "-c:v", "ffv1", "film.mkv")
run("ffmpeg", "-v", "error", "-i", "film.mkv", "in%02d.png")

# --keep-date, to the nanosecond.
OLD = 981173106_123456789
os.utime("film.mkv", ns=(OLD, OLD))
r = run(program, "upscale", "film.mkv", "plain.mkv", *FAST)
check(r.returncode == 0 and date("plain.mkv") > 10**18, "without it the date is today's", r.stderr)
dated("an output keeps the date", run(program, "upscale", "film.mkv", "plain.mkv", *FAST, "--overwrite", "--fresh", "--keep-date", "--keep-work"), "plain.mkv", OLD)
check(pathlib.Path("plain.mkv").stat().st_atime_ns > 10**18, "but not when it was last read")
os.utime("plain.mkv")
r = run(program, "upscale", "film.mkv", "plain.mkv", *FAST, "--keep-date")
dated("one that was done gets it", r, "plain.mkv", OLD)
check(b"already done" in r.stdout, "and is not made again", r.stdout)
for what, when in (("before 1970", -86400_500000000), ("after 2038", 4102444800_000000001)):
    os.utime("film.mkv", ns=(when, when))
    when = date("film.mkv") # as the file system keeps it
    dated(f"a date {what}", run(program, "upscale", "film.mkv", "far.mkv", *FAST, "--overwrite", "--keep-date"), "far.mkv", when)
os.utime("film.mkv", ns=(OLD, OLD))
run(program, "plan", "film.mkv", "joined.mkv", *FAST)
run(program, "work", "joined.mkv.kizunasr")
dated("join", run(program, "join", "joined.mkv.kizunasr", "--keep-date"), "joined.mkv", OLD)
dated("batch", run(program, "batch", "film.mkv", "--output-dir", "all", *FAST, "--keep-date"), "all/film.mkv", OLD)
for i in range(1, 5):
    os.utime(f"in{i:02d}.png", ns=(OLD + i % 4, OLD + i % 4))
dated("a sequence has its latest file's", run(program, "upscale", "in%02d.png", "seq.mkv", *FAST, "--keep-date"), "seq.mkv", OLD + 3)
dated("every file of a sequence gets it", run(program, "upscale", "film.mkv", "out%02d.png", *FAST, "--keep-date"), "out01.png", OLD)
check(date("out04.png") == OLD, "the last one, too")

finish()
