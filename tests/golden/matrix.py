#!/usr/bin/env python3
"""The same bytes in every combination of what must not matter.

Factors of the job: codec, container, temporal stage, deinterlacing, AI mode. Factors of a run: threads,
workers, SIMD level (by option or by variable), and how it is run: at once; resumed at every border
of segments; plan, work and join in processes of their own, segments in random order and one of them
made twice at the same time. The runs of a job must all have the sha256 of one plain run.

  matrix.py PROGRAM                every pair of values (as a test of every build)
  matrix.py PROGRAM --rows N       of these, N
  matrix.py PROGRAM --full         every combination (hours); --jobs N: N of the jobs side by side
  matrix.py PROGRAM --minutes M    combinations drawn at random, for M minutes
  matrix.py PROGRAM --repeat N     N times what is most at risk: libx265 with several workers
  options: --seed N, --only WORD (codec or container)

Ends with `N passed, N failed, N skipped`.
"""
import argparse, collections, hashlib, itertools, multiprocessing, os, random, shutil, subprocess, tempfile, time

import clips, pairwise
from checks import check, finish, run

LEVELS = {"avx2": "avx2", "avx512": "avx512bw", "avx512vnni": "avx512_vnni", "amx": "amx_int8"}


def levels():
    """Plain C, what this machine has, and no limit."""
    try:
        flags = open("/proc/cpuinfo").read().split()
    except OSError:
        flags = []
    return ["c", *(name for name, flag in LEVELS.items() if flag in flags), "best"]


FACTORS = {
    "codec": ["libx264", "libx265", "libvpx-vp9"],
    "container": ["mp4", "mkv", "webm"],
    "threads": [1, 2, 4],
    "workers": [1, 2, 4],
    "cpu": levels(),
    "how": ["at once", "resumed", "by hand"],
    "by": ["option", "variable"],
    "temporal": [False, True],
    "deinterlace": [False, True],
    "ai": [False, True],
}
JOB = ("codec", "container", "temporal", "deinterlace", "ai")


def valid(row):
    """WebM holds no other codec here; no limit of the level needs neither option nor variable."""
    return (row.get("container") != "webm" or row.get("codec", "libvpx-vp9") == "libvpx-vp9") and \
           (row.get("cpu") != "best" or row.get("by", "option") == "option")


def sha(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def name_of(row):
    return " ".join(f"{k}={v}" for k, v in row.items())


class Matrix:
    def __init__(self, program, folder, seed):
        self.program, self.folder = program, folder
        self.rng = random.Random(seed)
        self.references = {}
        self.done = collections.Counter()
        self.wrong = []
        self.films = [self.film(False), self.film(True)]

    def film(self, fields):
        """25 seconds, which are four segments, of few and small frames."""
        path = os.path.join(self.folder, f"film-{'fields' if fields else 'frames'}.mkv")
        video = "-c:v mpeg2video -q:v 3 -flags +ilme+ildct -g 15 -bf 2" if fields else \
                "-c:v libx264 -preset ultrafast -g 10 -bf 2 -threads 1"
        rate = 24 if fields else 3  # MPEG-2 knows no other
        speed = ",setpts=8*PTS" if fields else ""
        clips.need(clips.ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=64x36:rate={rate}:duration={25 * 3 / rate}{speed}",
                                "-f", "lavfi", "-i", "sine=duration=25:sample_rate=48000", *video.split(), "-c:a",
                                "libopus", "-vsync", "passthrough", path))
        return path

    def args(self, row, output, verb="upscale", *more):
        args = [self.program]
        if verb in ("upscale", "plan"):
            args += [verb, self.films[row["deinterlace"]], output, "--codec", row["codec"], "--preset", "ultrafast",
                     "--crf", "30", *(["--temporal"] if row["temporal"] else []),
                     *(["--deinterlace"] if row["deinterlace"] else []),
                     *(["--use-ai", "--ai-model", "anime-fast"] if row["ai"] else [])]
        else:
            args += [verb, output + ".kizunasr"]
        if row["by"] == "option" and row["cpu"] != "best":
            args += ["--cpu", row["cpu"]]
        if verb in ("upscale", "work"):
            args += ["--threads", str(row["threads"]), "--workers", str(row["workers"])]
        return [*args, "--log-level", "error", *more]

    def env(self, row):
        return {**os.environ, **({"KIZUNASR_CPU": row["cpu"]} if row["by"] == "variable" and row["cpu"] != "best" else {})}

    def must(self, row, output, verb, *more):
        r = run(*self.args(row, output, verb, *more), env=self.env(row))
        if r.returncode != 0:
            raise RuntimeError(f"{verb}: status {r.returncode}: {r.stderr.strip()}")
        return r.stdout

    def compare(self, row, output, what):
        digest = sha(output)
        os.remove(output)
        wanted = self.references.setdefault(tuple(row[n] for n in JOB), digest)
        self.done[what] += 1
        if digest != wanted:
            raise RuntimeError(f"{what}: other bytes")

    def resumed(self, row, output):
        """Stopped at every border: the segments before it are there, those after it are not."""
        work, whole = output + ".kizunasr", output + ".whole"
        segments = int(self.must(row, output, "plan"))
        self.must(row, output, "work")
        os.rename(work, whole)
        for border in range(1, segments):
            shutil.copytree(whole, work)
            for n in range(border, segments):
                os.remove(f"{work}/{n:06}.seg")
            self.must(row, output, "upscale")
            self.compare(row, output, f"resumed at border {border}")
        shutil.rmtree(whole)

    def by_hand(self, row, output):
        """Every segment by a process of its own, in random order, one by two processes at once."""
        order = list(range(int(self.must(row, output, "plan"))))
        self.rng.shuffle(order)
        for n in order:
            args = self.args(row, output, "work", "--segment", str(n))
            crew = [subprocess.Popen(args, env=self.env(row), stderr=subprocess.PIPE, text=True)
                    for _ in range(2 if n == order[0] else 1)]
            for p in crew:
                _, err = p.communicate(timeout=300)
                if p.returncode != 0:
                    raise RuntimeError(f"work on segment {n}: status {p.returncode}: {err}")
        self.must(row, output, "join")
        self.compare(row, output, "by hand")

    def try_row(self, row):
        """One combination. Returns what is wrong."""
        output = os.path.join(self.folder, "out." + row["container"])
        plain = {**row, "threads": 1, "workers": 1, "cpu": "best", "how": "at once"}
        try:
            if tuple(row[n] for n in JOB) not in self.references:
                self.must(plain, output, "upscale")
                self.compare(plain, output, "plain run")
            if row["how"] == "resumed":
                self.resumed(row, output)
            elif row["how"] == "by hand":
                self.by_hand(row, output)
            else:
                self.must(row, output, "upscale")
                self.compare(row, output, "at once")
        except (RuntimeError, OSError, ValueError) as trouble:
            for left in (output, output + ".part"):
                if os.path.exists(left):
                    os.remove(left)
            shutil.rmtree(output + ".kizunasr", ignore_errors=True)
            shutil.rmtree(output + ".whole", ignore_errors=True)
            return str(trouble)
        return ""


def every_row():
    for values in itertools.product(*FACTORS.values()):
        row = dict(zip(FACTORS, values))
        if valid(row):
            yield row


def choose(o, rng):
    """The rows to try; never ends for --minutes."""
    if o.repeat:
        row = {"codec": "libx265", "container": "mkv", "threads": 4, "workers": 4, "cpu": "best", "how": "at once",
               "by": "option", "temporal": True, "deinterlace": False, "ai": False}
        return [row] * o.repeat
    if o.minutes:
        rows = list(every_row())
        rng.shuffle(rows)
        return rows
    rows = list(pairwise.rows(FACTORS, valid))
    missing = pairwise.unmet(FACTORS, valid, rows)
    check(not missing, f"{len(rows)} rows have every pair of values", missing)
    return rows[:o.rows]


def try_job(task):
    """Every combination of one job, in a process and a folder of its own."""
    o, rows = task
    with tempfile.TemporaryDirectory() as folder:
        matrix = Matrix(os.path.abspath(o.program), folder, o.seed)
        wrong = [(row, text) for row in rows if (text := matrix.try_row(row))]
        return rows, wrong, matrix


def try_all(o):
    """The full cross product."""
    begin, tried, done = time.monotonic(), 0, collections.Counter()
    jobs = collections.defaultdict(list)
    for row in every_row():
        if o.only in f"{row['codec']} {row['container']}":
            jobs[tuple(row[n] for n in JOB)].append(row)
    with multiprocessing.Pool(o.jobs) as pool:
        for rows, wrong, matrix in pool.imap_unordered(try_job, [(o, rows) for rows in jobs.values()]):
            for row, text in wrong:
                check(False, name_of(row), text)
            tried += len(rows)
            done += matrix.done
            job, digest = next(iter(matrix.references.items()), ((), "no output"))
            print(f"{time.monotonic() - begin:6.0f} s  {tried:5} tried  {len(wrong)} wrong  "
                  f"{name_of(dict(zip(JOB, job)))}: {digest[:16]}", flush=True)
    say(tried, len(jobs), done, begin)


def say(tried, jobs, done, begin):
    runs = ", ".join(f"{k}: {v}" for k, v in sorted(done.items()))
    check(tried > 0, f"{tried} combinations of {sum(1 for _ in every_row())}, {jobs} jobs; outputs compared: "
          f"{sum(done.values())} ({runs}); {time.monotonic() - begin:.0f} s")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--rows", type=int)
    ap.add_argument("--full", action="store_true")
    ap.add_argument("--minutes", type=float)
    ap.add_argument("--repeat", type=int)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--only", default="")
    ap.add_argument("--jobs", type=int, default=1)
    o = ap.parse_args()
    print(f"seed {o.seed}", flush=True)
    if o.full:
        try_all(o)
        return finish()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        matrix = Matrix(os.path.abspath(o.program), folder, o.seed)
        tried = 0
        for row in choose(o, matrix.rng):
            if o.only not in f"{row['codec']} {row['container']}":
                continue
            if o.minutes and time.monotonic() - begin > o.minutes * 60:
                break
            wrong = matrix.try_row(row)
            tried += 1
            if wrong or not o.minutes:
                check(not wrong, name_of(row), wrong)
        say(tried, len(matrix.references), matrix.done, begin)
    finish()


if __name__ == "__main__":
    main()
