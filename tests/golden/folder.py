#!/usr/bin/env python3
"""Trouble around a run: a full disk, a folder that cannot be written or goes away, another run of
the same output, files that change or are damaged, clocks that jump. Each time: the exit status, the
line that is said, and that the same command then ends with the bytes of an undisturbed run.

  folder.py PROGRAM [--only WORD]

Small file systems are mounted in a namespace of the test's own; where that is not allowed those
checks are skipped. Ends with `N passed, N failed, N skipped`.
"""
import argparse, glob, os, re, shutil, signal, subprocess, sys, tempfile, time

import clips
from checks import check, finish, run, some

FULL = "No space left on device"
skipped = 0


class Place:
    """A fresh folder with a film in it, and the command that is tried there."""

    def __init__(self, program, film, folder, wanted):
        self.program, self.wanted, self.folder = program, wanted, folder
        self.film, self.output = os.path.join(folder, "film.mkv"), os.path.join(folder, "out.mkv")
        self.work = self.output + ".kizunasr"
        os.makedirs(folder, exist_ok=True)
        shutil.copy2(film, self.film)

    def args(self, *more, verb="upscale"):
        files = [self.film, self.output, "--preset", "ultrafast"] if verb in ("upscale", "plan") else [self.work]
        return [self.program, verb, *files, "--log-level", "error", "--progress", "none", *more]

    def fails(self, what, status, message, *more, verb="upscale"):
        r = run(*self.args(*more, verb=verb))
        self.judge(what, r.returncode, r.stderr, status, message)

    def judge(self, what, found, said, status, message):
        line = f"kizunasr: error: {message}\n".replace("$", self.folder)
        check(found == status and said == line, f"{what}: status {status}, {message}", (found, said))

    def does(self, verb, *more):
        r = run(*self.args(*more, verb=verb))
        if r.returncode != 0:
            check(False, f"{verb} {' '.join(more)}", (r.returncode, r.stderr))

    def ends(self, what, *more, env=None):
        """The same command: the bytes of an undisturbed run, and nothing left behind."""
        r = run(*self.args(*more), env=env)
        good = r.returncode == 0 and open(self.output, "rb").read() == self.wanted
        check(good, f"{what}: then the same bytes", (r.returncode, r.stderr))
        left = set(os.listdir(self.folder)) - {"film.mkv", "out.mkv"}
        check(not left, f"{what}: nothing left behind", left)
        if os.path.exists(self.output):
            os.remove(self.output)

    def stopped(self, reached, *more, verb="upscale"):
        """A run that stands still where `reached` says."""
        for _ in range(20):
            p = subprocess.Popen(self.args(*more, verb=verb), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            while p.poll() is None and not reached():
                time.sleep(0.0002)
            if p.poll() is None:
                p.send_signal(signal.SIGSTOP)
                if self.stands(p) and reached():
                    return p
                p.send_signal(signal.SIGCONT)
            p.communicate()
            if os.path.exists(self.output):
                os.remove(self.output)
            shutil.rmtree(self.work, ignore_errors=True)
        raise RuntimeError("the run is over too soon")

    @staticmethod
    def stands(p):
        """Whether it was stopped before it ended."""
        while True:
            with open(f"/proc/{p.pid}/stat", encoding="ascii", errors="replace") as file:
                state = file.read().rsplit(")", 1)[1].split()[0]
            if state in "TZX":
                return state == "T"
            time.sleep(0.0002)

    def went_on(self, p):
        p.send_signal(signal.SIGCONT)
        _, err = p.communicate(timeout=120)
        return p.returncode, err

    def has_segment(self):
        return os.path.exists(self.segment(0))

    def writes_part(self):
        """A run writes the output: the part is not only there, it is locked and not whole yet."""
        try:
            part = os.stat(self.output + ".part")
        except FileNotFoundError:
            return False
        if part.st_size >= len(self.wanted):
            return False
        with open("/proc/locks", encoding="ascii") as file:
            return any(line.split()[-3].endswith(f":{part.st_ino}") for line in file)

    def segment(self, number):
        return os.path.join(self.work, f"{number:06}.seg")


def change(path, at, keep_date=False):
    """Turns one byte of a file."""
    date = os.stat(path)
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 0x15]))
    if keep_date:
        os.utime(path, ns=(date.st_atime_ns, date.st_mtime_ns))


# --- File systems ---

def mount(place, *options):
    return run("mount", "-t", "tmpfs", *options, "tmpfs", place).returncode == 0


def fill(folder, leave):
    """Leaves about so many bytes free."""
    s = os.statvfs(folder)
    with open(os.path.join(folder, "filler"), "wb") as f:
        f.write(bytes(max(s.f_bavail * s.f_frsize - leave, 0)))


def full_disk(make):
    p = make("full")
    small = p.folder + "/small"
    os.mkdir(small)
    mount(small, "-o", "size=8m")
    p.output, p.work = small + "/out.mkv", small + "/out.mkv.kizunasr"

    def full(what, leave, message, before=()):
        for verb in before:
            p.does(verb)
        fill(small, leave)
        p.fails(what, 4, message)
        check(not os.path.exists(p.output) and not os.path.exists(p.output + ".part"), f"{what}: no output", os.listdir(small))
        os.remove(small + "/filler")
        r = run(*p.args())
        check(r.returncode == 0 and open(p.output, "rb").read() == p.wanted, f"{what}: with room again, the same bytes", r.stderr)
        check(os.listdir(small) == ["out.mkv"], f"{what}: nothing left behind", os.listdir(small))
        os.remove(p.output)

    full("no room to plan", 0, f"cannot write $/small/out.mkv.kizunasr/manifest.json: {FULL}")
    full("no room for a segment", 16384, f"cannot write $/small/out.mkv.kizunasr/000000.seg: {FULL}", ["plan"])
    half = len(p.wanted) // 2
    full("no room for the output", half, f"cannot write $/small/out.mkv.part: {FULL}", ["plan", "work"])
    p.does("plan")
    p.does("work", "--segment", "0")
    fill(small, 32768)
    r = run(*p.args("--workers", "3"))
    errors = [line for line in r.stderr.splitlines() if FULL in line]
    check(r.returncode == 4 and len(errors) == 1 and len(r.stderr.splitlines()) <= 2,
          "no room for three workers at once: status 4, one line", (r.returncode, r.stderr))
    os.remove(small + "/filler")
    r = run(*p.args())
    check(r.returncode == 0 and open(p.output, "rb").read() == p.wanted, "three workers: then the same bytes", r.stderr)


def read_only(make):
    p = make("readonly")
    place = p.folder + "/ro"
    os.mkdir(place)
    mount(place)
    p.output, p.work = place + "/out.mkv", place + "/out.mkv.kizunasr"
    p.does("plan")
    run("mount", "-o", "remount,ro", place)
    ro = "Read-only file system"
    p.fails("a read-only folder", 4, f"cannot write to $/ro: {ro}")
    p.fails("work in a read-only folder", 4, f"cannot write $/ro/out.mkv.kizunasr/lock: {ro}", verb="work")
    p.fails("join in a read-only folder", 4, f"cannot write $/ro/out.mkv.kizunasr/lock: {ro}", verb="join")
    run("mount", "-o", "remount,rw", place)
    r = run(*p.args())
    check(r.returncode == 0 and open(p.output, "rb").read() == p.wanted, "writable again: the same bytes", r.stderr)


# --- Folders and other runs ---

def removed(make):
    p = make("removed")
    r = p.stopped(p.has_segment, "--workers", "1")
    shutil.rmtree(p.work)
    status, said = p.went_on(r)
    # It may have gone before the segment has its name or just after it.
    line = rf"kizunasr: error: cannot write (to the folder of )?{re.escape(p.work)}/0000[^:\n]*: No such file or directory\n"
    check(status == 4 and re.fullmatch(line, said), "the work folder goes away: status 4, one line", (status, said))
    p.ends("the work folder goes away")
    p.does("plan")
    p.does("work")
    os.remove(p.segment(3))
    p.fails("a segment goes away before join", 1, "1 of 12 segments are missing or damaged", verb="join")
    p.ends("a segment goes away before join")


def another_run(make):
    p = make("another")
    first = p.stopped(p.has_segment)
    p.fails("upscale beside upscale", 4, "another run is using $/out.mkv.kizunasr")
    for verb in ("plan", "work", "join"):
        p.fails(f"{verb} beside upscale", 4, "another run is using $/out.mkv.kizunasr", verb=verb)
    status, said = p.went_on(first)
    check(status == 0 and open(p.output, "rb").read() == p.wanted, "the first run does not notice", said)
    os.remove(p.output)

    p.does("plan")
    first = p.stopped(p.has_segment, verb="work")
    p.fails("join beside work", 4, "another run is using $/out.mkv.kizunasr", verb="join")
    p.does("work")  # beside the other: allowed
    status, said = p.went_on(first)
    check(status == 0, "work beside work", said)
    p.ends("work beside work")

    own = ["--work-dir", p.folder + "/own"]
    first = p.stopped(p.writes_part)
    p.fails("another work folder, the same output", 4, "another run is writing $/out.mkv", *own)
    status, said = p.went_on(first)
    check(status == 0 and open(p.output, "rb").read() == p.wanted, "the one that wrote goes on", said)
    p.fails("another work folder, the output is there", 2, "output file exists: $/out.mkv (use --overwrite to replace it)", *own)
    p.ends("another work folder", "--overwrite", *own)

    for _ in range(8):
        both = [subprocess.Popen(p.args(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        said = [r.communicate(timeout=120)[1] for r in both]
        status = sorted(r.returncode for r in both)
        if status not in ([0, 2], [0, 4]) or open(p.output, "rb").read() != p.wanted:
            break
        os.remove(p.output)
    check(status in ([0, 2], [0, 4]), "two at the same moment: one does it, one says why not", (status, said))
    p.ends("two at the same moment")


def output_comes_up(make):
    p = make("meanwhile")
    for when, reached in (("meanwhile", p.has_segment), ("while the output is written", p.writes_part)):
        first = p.stopped(reached)
        open(p.output, "w").write("precious")
        status, said = p.went_on(first)
        p.judge(f"an output that came up {when}", status, said, 2, "output file exists: $/out.mkv (use --overwrite to replace it)")
        check(open(p.output).read() == "precious", "it is left alone")
        p.ends(f"an output that came up {when}", "--overwrite")


def other_names(make):
    """The same job, while its files get other names."""
    p = make("names")
    keep = ["--work-dir", p.work]
    p.does("plan", *keep)
    p.does("work", "--segment", "1")
    moved = p.folder + "/moved.mkv"
    os.rename(p.film, moved)
    p.fails("the input is gone", 3, "input file not found: $/film.mkv", verb="work")
    p.film, first = moved, p.output
    p.output = p.folder + "/renamed.mkv"
    r = run(*p.args(*keep))
    check(r.returncode == 0 and open(p.output, "rb").read() == p.wanted and not os.path.exists(first),
          "input and output renamed, the same folder: goes on under the new names", r.stderr)
    check(sorted(os.listdir(p.folder)) == ["moved.mkv", "renamed.mkv"], "names: nothing left behind", os.listdir(p.folder))


# --- Clocks, and files that change ---

def clocks(make, sanitized):
    global skipped
    p = make("clocks")
    for date in (0, 4102444800, 1):  # 1970, 2100, 1970
        p.does("plan")
        p.does("work", "--segment", "2", "--segment", "5")
        for name in [p.film, *glob.glob(p.work + "/*")]:
            os.utime(name, (date, date))
        p.does("work", "--segment", "7")
        p.ends(f"dates of the year {1970 if date < 9 else 2100}")
    if sanitized:  # faketime and a sanitizer both want to be the first library
        return
    if not shutil.which("faketime"):
        skipped += 1
        print("skip a clock that jumps: no faketime")
        return
    p.does("plan")
    for jump in ("+20y", "-20y"):
        r = run("faketime", "-f", jump, *p.args("--segment", "3", verb="work"))
        check(r.returncode == 0, f"work with the clock at {jump}", r.stderr)
    r = run("faketime", "-f", "-1y x500", *p.args())
    check(r.returncode == 0 and open(p.output, "rb").read() == p.wanted, "a clock that runs away: the same bytes", r.stderr)


def input_changes(make):
    p = make("changes")
    middle = os.path.getsize(p.film) // 2
    refused = "the input has changed since the job was planned: $/film.mkv"
    other = "$/out.mkv.kizunasr belongs to another job: the input file differs (use --fresh to start over)"

    def again(what):
        change(p.film, middle)
        p.ends(what)

    p.does("plan")
    p.does("work", "--segment", "0")
    change(p.film, middle)
    p.fails("another input, upscale", 2, other)
    p.fails("another input, plan", 2, other, verb="plan")
    p.fails("another input, work", 2, refused, verb="work")
    p.fails("another input, join", 2, refused, verb="join")
    again("another input, and back")

    p.does("plan")
    p.does("work")
    change(p.film, middle, keep_date=True)
    p.fails("another input of the same date, join", 2, refused, verb="join")
    p.fails("another input of the same date, upscale", 2, other)
    again("another input of the same date, and back")

    first = p.stopped(p.has_segment, "--workers", "1")
    change(p.film, middle)
    p.judge("the input changes during the run", *p.went_on(first), 2, refused)
    again("the input changes during the run, and back")

    first = p.stopped(p.has_segment, "--workers", "1")
    os.utime(p.film, (5, 5))
    check(p.went_on(first)[0] == 0, "the date alone changes during the run: no harm")
    os.remove(p.output)

    p.does("plan")
    os.truncate(p.film, middle)
    p.fails("a shorter input, join", 2, refused, verb="join")


def damaged_manifest(make):
    p = make("manifest")
    path = p.work + "/manifest.json"
    p.does("plan")
    p.does("work", "--segment", "4")
    whole = open(path, "rb").read()
    step = len(whole) // 24
    damaged = [whole[:n] for n in (0, 1, 100, len(whole) // 2, len(whole) - 1)] + [whole + b" ", b"null", b"[]", b"{}"]
    damaged += [whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1:] for i in range(0, len(whole), step)]
    date = os.stat(p.segment(4)).st_mtime_ns
    bad = []
    for text in damaged:
        open(path, "wb").write(text)
        r = run(*p.args(verb="work"))
        if r.returncode != 2 or r.stderr != f"kizunasr: error: manifest.json in {p.work} is damaged or of another version\n":
            bad.append((text[:40], r.returncode, r.stderr))
    check(not bad, f"{len(damaged)} damaged manifests: work refuses", bad[:3])
    for text in damaged[::6]:
        open(path, "wb").write(text)
        r = run(*p.args("--log-level", "warning", verb="plan"))
        check(r.returncode == 0 and f"manifest.json in {p.work} is damaged or of another version: planning again" in r.stderr
              and open(path, "rb").read() == whole, "a damaged manifest is made again, equal", r.stderr)
    check(os.stat(p.segment(4)).st_mtime_ns == date, "its segments stay")
    open(path, "wb").write(whole[:999])
    p.ends("a damaged manifest")


def damaged_segments(make):
    p = make("segments")
    p.does("plan")
    p.does("work")
    whole = [open(p.segment(i), "rb").read() for i in range(12)]
    n = len(whole[1])
    kinds = {f"cut at {k}": whole[1][:k] for k in (0, 7, 40, 60, n // 2, n - 33, n - 1)}
    kinds |= {f"byte {k} turned": whole[1][:k] + bytes([whole[1][k] ^ 4]) + whole[1][k + 1:]
              for k in (0, 9, 41, 45, 50, n // 2, n - 50, n - 33, n - 1)}
    kinds |= {"longer": whole[1] + b"\0", "another segment": whole[2]}
    q = make("segments-of-another")
    r = run(*q.args("--sharpening", "1", verb="plan"))
    q.does("work", "--segment", "1")
    kinds["of another job"] = open(q.segment(1), "rb").read()
    bad = []
    for kind, data in kinds.items():
        open(p.segment(1), "wb").write(data)
        r = run(*p.args(verb="join"))
        if r.returncode != 1 or r.stderr != "kizunasr: error: 1 of 12 segments are missing or damaged\n":
            bad.append((kind, r.returncode, r.stderr))
        r = run(*p.args(verb="work"))
        if r.returncode != 0 or open(p.segment(1), "rb").read() != whole[1]:
            bad.append((kind, "not made again", r.stderr))
    check(not bad, f"{len(kinds)} damaged segments: join refuses, work makes them again, equal", bad[:3])
    os.remove(p.segment(1))
    os.mkdir(p.segment(1))
    r = run(*p.args())
    check(r.returncode == 4, "a folder in a segment's place: status 4", (r.returncode, r.stderr))
    os.rmdir(p.segment(1))
    stray = p.work + "/000003.seg.elsewhere.1.2.tmp"
    for name in (stray, p.work + "/notes.txt"):
        open(name, "w").write("x")
    p.does("upscale")
    check(os.listdir(p.work) == ["notes.txt"], "temporary files of dead runs go, other people's files stay", os.listdir(p.work))


def main():
    global skipped
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--only", default="")
    ap.add_argument("--apart", action="store_true", help=argparse.SUPPRESS)
    o = ap.parse_args()
    if not o.apart:
        apart = ["unshare", "-m" if os.getuid() == 0 else "-rm"]
        if shutil.which("unshare") and run(*apart, "mount", "-t", "tmpfs", "tmpfs", "/mnt").returncode == 0:
            os.execvp(apart[0], [*apart, sys.executable, *sys.argv, "--apart"])
    program = os.path.abspath(o.program)
    sanitized = b"__asan_init" in open(program, "rb").read()
    with tempfile.TemporaryDirectory() as folder:
        film = os.path.join(folder, "film.mkv")
        clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x24:rate=2:duration=96", "-f", "lavfi", "-i",
                                "sine=sample_rate=16000:duration=96", "-c:v", "libx264", "-preset", "ultrafast", "-g",
                                "8", "-bf", "2", "-threads", "1", "-c:a", "pcm_s16le", film))
        reference = Place(program, film, folder + "/reference", b"")
        reference.does("upscale")
        wanted = open(reference.output, "rb").read()

        def make(name):
            return Place(program, film, os.path.join(folder, name), wanted)

        tests = {"removed": removed, "another": another_run, "meanwhile": output_comes_up, "names": other_names,
                 "clocks": lambda m: clocks(m, sanitized), "changes": input_changes, "manifest": damaged_manifest,
                 "segments": damaged_segments}
        mounted = {"full": full_disk, "readonly": read_only}
        # With sanitizers, above all those that read what is damaged.
        for name, test in some({**tests, **mounted}.items(), ("manifest", "segments", "full")):
            if o.only not in name:
                continue
            if name in mounted and not o.apart:
                skipped += 1
                print(f"skip {name}: file systems cannot be mounted here")
                continue
            test(make)
        for name in mounted:
            run("umount", os.path.join(folder, name, "small" if name == "full" else "ro"))
    finish(skipped)


if __name__ == "__main__":
    main()
