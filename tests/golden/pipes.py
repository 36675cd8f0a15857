"""Dates of outputs, and pipes as input and output. Usage: pipes.py KIZUNASR"""

import os, pathlib, signal, socket, subprocess, sys, tempfile, threading, time
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

# Pipes as input: the same bytes as from the file.
run(program, "upscale", "film.mkv", "ref.mkv", *FAST)
film, ref = pathlib.Path("film.mkv").read_bytes(), pathlib.Path("ref.mkv").read_bytes()
other = film[:-1] + b"\0" # of the same size
left = set(os.listdir())


def piped(name, data, source, out, *options, wanted=ref, **how):
    """upscale of what standard input has."""
    r = run(program, "upscale", source, out, *FAST, *options, **({"stdin": None, "input": data} if data else {}), **how)
    made = pathlib.Path(out).read_bytes() if os.path.exists(out) else b""
    check(r.returncode == 0 and made and (not wanted or made == wanted), name, f"{r.returncode} {len(made)} {r.stderr}")
    return r


def refused(name, status, say, *args, **how):
    r = run(program, *args, **how)
    check(r.returncode == status and say in r.stderr.decode(), name, f"{r.returncode} {r.stderr}")
    check(not os.path.exists("x.mkv") and not os.path.exists("x.mkv.kizunasr"), f"{name}: nothing is left")


r = piped("a pipe", film, "-", "a.mkv", "--log-level", "info")
check(b"copying standard input to a.mkv.kizunasr first" in r.stderr, "it says where it goes", r.stderr)
piped("/dev/stdin", film, "/dev/stdin", "b.mkv")
for name, out in (("-", "c.mkv"), ("/dev/stdin", "j.mkv")):
    with open("film.mkv", "rb") as f:
        r = piped(f"a file as {name}", None, name, out, "--log-level", "info", stdin=f)
        check(b"copying " not in r.stderr, "which is not copied", r.stderr)
with open("padded", "w+b") as f:
    f.write(b"x" * 100 + film)
    f.flush()
    os.unlink("padded")
    f.seek(100)
    piped("a file from where it stands", None, "-", "d.mkv", stdin=f)
ours, theirs = socket.socketpair()
threading.Thread(target=lambda: (theirs.sendall(film), theirs.close())).start()
piped("a socket", None, "-", "e.mkv", stdin=ours)
r = run("bash", "-c", f"'{program}' upscale <(sleep 0.5; cat film.mkv) f.mkv --log-level warning")
check(r.returncode == 0 and pathlib.Path("f.mkv").read_bytes() == ref, "process substitution", r.stderr)
os.mkfifo("fifo")
threading.Thread(target=lambda: (time.sleep(0.5), pathlib.Path("fifo").write_bytes(film))).start()
piped("a fifo", None, "fifo", "g.mkv")
y4m = run("ffmpeg", "-v", "error", "-i", "film.mkv", "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "-").stdout
pathlib.Path("film.y4m").write_bytes(y4m)
run(program, "upscale", "film.y4m", "y4m.mkv", *FAST)
piped("y4m", y4m, "-", "h.mkv", wanted=pathlib.Path("y4m.mkv").read_bytes())
ts = run("ffmpeg", "-v", "error", "-i", "film.mkv", "-c:v", "mpeg2video", "-f", "mpegts", "-").stdout
piped("MPEG-TS, and a limit that it keeps", ts, "-", "i.mkv", "--spool-limit", "1M", wanted=None)
check(set(os.listdir()) - left == {f"{c}.mkv" for c in "abcdefghij"} | {"fifo", "film.y4m", "y4m.mkv"}, "no folder is left", os.listdir())

# What is no film, or too long, or known to fail.
refused("an empty pipe", 3, "no data from standard input", "upscale", "-", "x.mkv", input=b"", stdin=None)
refused("a pipe without video", 3, "cannot read", "upscale", "-", "x.mkv", input=b"hello\n", stdin=None)
refused("a limit", 3, "more than 1024 bytes, the limit set by --spool-limit", "upscale", "-", "x.mkv", "--spool-limit", "1K", input=film, stdin=None)
refused("a limit that is no size", 2, "expected a size such as 500M", "upscale", "-", "x.mkv", "--spool-limit", "1KB")
for name in ("-", "/dev/stdin"):
    refused(f"a device as {name}", 3, "is a device", "upscale", name, "x.mkv")
refused("a wrong container, before reading", 2, "no container 'nix'", "upscale", "fifo", "x.mkv", "--format", "nix")
refused("an output that exists, before reading", 2, "output file exists", "upscale", "fifo", "a.mkv")
refused("a dry run uses no pipe up", 3, "not a regular file", "upscale", "-", "x.mkv", "--dry-run", input=film, stdin=None)
waiting = subprocess.Popen([program, "upscale", "fifo", "x.mkv"], stderr=subprocess.PIPE)
waiting.stderr.readline()
waiting.send_signal(signal.SIGINT)
try:
    status = waiting.wait(timeout=20)
except subprocess.TimeoutExpired:
    waiting.kill()
    status = -9
check(status == 130 and not os.path.exists("x.mkv.kizunasr"), "waiting for a pipe can be interrupted", status)

# Resume, and work and join, from the copy.
plan = run(program, "plan", "-", "r.mkv", *FAST, input=film, stdin=None)
run(program, "work", "r.mkv.kizunasr")
copies = [n for n in os.listdir("r.mkv.kizunasr") if n.startswith("source")]
check(plan.returncode == 0 and len(copies) == 1, "plan keeps a copy", f"{copies} {plan.stderr}")
r = run(program, "upscale", "-", "r.mkv", *FAST, input=other, stdin=None)
check(r.returncode == 2 and b"r.mkv.kizunasr" in r.stderr, "another film is refused", r.stderr)
check([n for n in os.listdir("r.mkv.kizunasr") if n.startswith("source")] == copies, "and leaves the first as it was", os.listdir("r.mkv.kizunasr"))
made = date("r.mkv.kizunasr/000000.seg")
os.mkdir("t.mkv.kizunasr")
for name in ("source", "source-film.mkv", "source.film", "source.host.1.0.tmp", "source-0123456789abcdef"):
    pathlib.Path("t.mkv.kizunasr", name).write_bytes(b"")
piped("a folder that has more", film, "-", "t.mkv")
check(sorted(os.listdir("t.mkv.kizunasr")) == ["source", "source-film.mkv", "source.film"], "only what is ours goes", os.listdir("t.mkv.kizunasr"))
piped("the same bytes go on", film, "-", "r.mkv", "--keep-work")
check(date("r.mkv.kizunasr/000000.seg") == made, "with the segment that was made")
r = piped("done is done", film, "-", "r.mkv")
check(b"already done" in r.stdout and not os.path.exists("r.mkv.kizunasr"), "and takes the folder away", r.stdout)
run(program, "plan", "-", "s.mkv", *FAST, input=film, stdin=None)
run(program, "work", "s.mkv.kizunasr")
r = run(program, "join", "s.mkv.kizunasr")
check(r.returncode == 0 and pathlib.Path("s.mkv").read_bytes() == ref and not os.path.exists("s.mkv.kizunasr"), "plan, work, join", r.stderr)

# Pipes as output: the file's bytes and nothing else, and nothing is left.
temporary = os.path.abspath("tmp")
os.mkdir(temporary)
os.environ["TMPDIR"] = temporary


def streamed(name, source, out, *options, wanted=ref, **how):
    r = run(program, "upscale", source, out, *FAST, *options, **how)
    check(r.returncode == 0 and r.stdout == wanted and b"verified" in r.stderr, name, f"{r.returncode} {len(r.stdout)} {r.stderr}")
    check(not os.listdir(temporary), f"{name}: nothing is left", os.listdir(temporary))


streamed("standard output", "film.mkv", "-", "--format", "matroska")
streamed("a pipe in and a pipe out", "-", "/dev/stdout", "--format", "mkv", input=film, stdin=None)
for format in ("nut", "mp4", "y4m"):
    run(program, "upscale", "film.mkv", f"p.{format}", *FAST)
    streamed(f"as {format}", "film.mkv", "/dev/fd/1", "--format", format, wanted=pathlib.Path(f"p.{format}").read_bytes())
link = os.readlink("/dev/stdout")
with open("redirected", "wb") as f:
    r = subprocess.run([program, "upscale", "film.mkv", "/dev/stdout", *FAST, "--format", "mkv", "--overwrite"], stdout=f, stderr=subprocess.PIPE)
check(r.returncode == 0 and pathlib.Path("redirected").read_bytes() == ref and os.readlink("/dev/stdout") == link, "redirected into a file", r.stderr)
got = []
reader = threading.Thread(target=lambda: got.append(pathlib.Path("fifo").read_bytes()))
reader.start()
r = run(program, "upscale", "film.mkv", "fifo", *FAST, "--format", "mkv")
reader.join()
check(r.returncode == 0 and got == [ref] and b"verified" in r.stdout and pathlib.Path("fifo").is_fifo(), "a fifo", r.stderr)
r = run("bash", "-c", f"'{program}' upscale film.mkv >(cat >into) --format mkv --log-level warning; sleep 0.5")
check(pathlib.Path("into").read_bytes() == ref, "process substitution as output", r.stderr)
unread, end = os.pipe()
os.close(unread)
for name, out, status, say in (("a terminal", os.openpty()[1], 2, b"is a terminal"), ("a pipe that nobody reads", end, 4, b"Broken pipe"),
                               ("read-only", os.open("film.mkv", os.O_RDONLY), 4, b"Bad file descriptor")):
    r = subprocess.run([program, "upscale", "film.mkv", "-", "--format", "mkv"], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE)
    check(r.returncode == status and say in r.stderr and b"frames" not in r.stderr, f"standard output that is {name}, before the work", f"{r.returncode} {r.stderr}")
refused("an input that is not there", 3, "not found", "upscale", "nix.mkv", "-", "--format", "mkv")
check(not os.listdir(temporary), "after refusals nothing is left", os.listdir(temporary))

# A reader that goes away does not cost the work.
with subprocess.Popen([program, "upscale", "film.mkv", "-", *FAST, "--format", "y4m", "--work-dir", "w"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
    p.stdout.read(1)
    p.stdout.close()
    said = p.stderr.read()
check(p.returncode == 4 and b"Broken pipe" in said and b"is kept as w/" in said, "a reader that goes away", f"{p.returncode} {said}")
r = run(program, "upscale", "film.mkv", "-", *FAST, "--format", "y4m", "--work-dir", "w")
check(r.returncode == 0 and b"already done" in r.stderr and r.stdout == pathlib.Path("p.y4m").read_bytes() and not os.path.exists("w"), "the same command goes on", r.stderr)

finish()
