#!/usr/bin/env python3
"""Killed anywhere, and nothing shows.

Small films of many segments are upscaled; the program is killed (SIGKILL) at random moments: in plan,
in work, in join, while the output gets its name, while the work folder goes. Every kill is followed
by the same command, until one ends by itself: its output must have the sha256 of an uninterrupted
run, and nothing may be left beside it. Meanwhile another process polls for files under the output's
name: whatever it sees there must be whole. The same for the verbs plan, work and join, and for an
image sequence. At last SIGINT and SIGTERM in every phase: status 130, a line that says how to
resume, the work folder intact.

  kills.py PROGRAM [--kills N] [--seed N] [--only WORD]

--kills: how often altogether. Ends with `N passed, N failed, N skipped`.
"""
import argparse, collections, hashlib, multiprocessing, os, random, re, shutil, signal, subprocess, tempfile, time

import clips
from checks import check, finish

# "again": early in a run that goes on with what a killed one left.
PHASES = ("plan", "work", "join", "again", "end")
RESUME = "kizunasr: interrupted; run the same command again to resume"
LIMIT = 300  # seconds without an end: a run that hangs


def sha(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def watch(folder, names, wanted, stop, passes, pipe):
    """Polls for files under the output's name; reports how many it saw whole, and the others."""
    seen, whole, bad = set(), 0, []
    while True:
        last = stop.is_set()
        for name in os.listdir(folder):
            if not re.fullmatch(names, name):
                continue
            try:
                with open(os.path.join(folder, name), "rb") as f:
                    s = os.fstat(f.fileno())
                    if (name, s.st_ino, s.st_mtime_ns) in seen:
                        continue
                    seen.add((name, s.st_ino, s.st_mtime_ns))
                    good = hashlib.sha256(f.read()).hexdigest() == wanted.get(name)
            except FileNotFoundError:
                continue
            whole += good
            if not good:
                bad.append(f"{name}, {s.st_size} bytes")
        if last:
            pipe.send((whole, bad))
            return
        passes.value += 1
        time.sleep(0.001)


class Watcher:
    def __init__(self, folder, names, wanted):
        self.stop = multiprocessing.Event()
        self.passes = multiprocessing.Value("L", 0)
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=watch, args=(folder, names, wanted, self.stop, self.passes, other))
        self.process.start()

    def look(self):
        """Waits until it has looked at what is there now."""
        until = self.passes.value + 2
        while self.passes.value < until and self.process.is_alive():
            time.sleep(0.001)

    def end(self):
        self.stop.set()
        result = self.pipe.recv()
        self.process.join()
        return result


class Job:
    """A film and how it is run: one command, or several that follow each other."""

    def __init__(self, program, folder, name, source, output, options, verbs):
        self.name, self.top = name, os.path.join(folder, name)
        os.mkdir(self.top)
        self.source, self.output = source, os.path.join(self.top, output)
        self.work = self.output + ".kizunasr"
        self.names = re.escape(output).replace("%03d", r"\d+")
        upscale = [program, "upscale", source, self.output, "--progress", "none", *options]
        plan = [program, "plan", *upscale[2:]]
        self.commands = [plan, [program, "work", self.work], [program, "join", self.work]] if verbs else [upscale]
        self.sequence = "%" in output
        self.wanted = {}  # sha256 by name
        self.seconds = 0  # that a whole run takes
        self.planned = 0  # until its manifest stands
        self.states = collections.Counter()

    def outputs(self):
        return [n for n in os.listdir(self.top) if re.fullmatch(self.names, n)]

    def start(self, command):
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def reference(self):
        start = time.monotonic()
        for command in self.commands:
            p = self.start(command)
            while p.poll() is None and not self.planned:
                self.planned = self.reached("work") * (time.monotonic() - start)
                time.sleep(0.0002)
            _, err = p.communicate(timeout=LIMIT)
            check(p.returncode == 0, f"{self.name}: {command[1]}, not disturbed", err)
        self.seconds = time.monotonic() - start
        self.wanted = {n: sha(os.path.join(self.top, n)) for n in self.outputs()}
        self.clear()

    def clear(self):
        for n in os.listdir(self.top):
            path = os.path.join(self.top, n)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)

    def reached(self, phase):
        """Whether a run has come to a phase, as its files tell."""
        if phase in ("plan", "again"):
            return True
        if phase == "work":
            return os.path.exists(os.path.join(self.work, "manifest.json"))
        if phase == "join":
            return any(".part" in n for n in os.listdir(self.top))
        return bool(self.outputs())

    def state(self):
        """Where a killed run was."""
        if self.outputs():
            return "output in place, folder not gone" if not self.sequence else "output appearing"
        if self.reached("join"):
            return "join"
        return "work" if self.reached("work") else "plan"

    def kill(self, p, phase, rng):
        """Kills a run at a random moment of a phase. Returns whether it was not over before."""
        share = {"plan": 0, "again": 0.2, "work": 0.5, "join": 0.15, "end": 0.02}[phase]
        wait = (0.8 * self.planned if phase == "plan" else share * self.seconds) * rng.random()
        begin = time.monotonic()
        while p.poll() is None and not self.reached(phase):
            if time.monotonic() - begin > LIMIT:
                break
            time.sleep(0.0002)
        until = time.monotonic() + wait
        while p.poll() is None and time.monotonic() < until:
            time.sleep(0.0002)
        p.send_signal(signal.SIGKILL)
        p.communicate()
        if p.returncode == -signal.SIGKILL:
            self.states[self.state()] += 1
            return True
        return False

    def forgotten(self):
        """Killed when all had been done, so that nothing tells of the job any more."""
        return not any(os.path.exists(os.path.join(self.work, n)) for n in ("manifest.json", "done.json"))

    def refused(self, command):
        """To the same command the output is then anybody's. Returns what is wrong."""
        p = self.start(command)
        _, err = p.communicate(timeout=LIMIT)
        status, line = {"upscale": (2, "output file exists"), "join": (3, "work folder not found|no manifest")}[command[1]]
        if p.returncode != status or not re.search(line, err):
            return f"a finished output is not seen: status {p.returncode}, {err}"
        return ""

    def verdict(self):
        """After the last command has ended by itself. Returns what is wrong."""
        found = {n: sha(os.path.join(self.top, n)) for n in self.outputs()}
        left = sorted(set(os.listdir(self.top)) - set(found))
        self.clear()
        if found != self.wanted:
            return "other bytes" if found else "no output"
        return f"left behind: {left}" if left else ""


def killed(job, kills, rng):
    watcher = Watcher(job.top, job.names, job.wanted)
    done = runs = step = 0
    dirty, wrong = False, []
    missing = []
    while done < kills or dirty or missing:
        planned = job.reached("work")
        p = job.start(job.commands[step])
        dirty = True
        phase = missing[0] if missing and done >= kills else PHASES[done % len(PHASES)]
        # One run in five goes on to its end, and so does one that is to be killed in plan but has a plan.
        if (done < kills or missing) and rng.random() < 0.8 and not (phase == "plan" and planned):
            done += job.kill(p, phase, rng)
        else:
            p.communicate(timeout=LIMIT)
        # A few kills more, until each phase of the first film was hit.
        missing = [n for n in ("plan", "work", "join") if not job.states[n] and job.name == "mkv" and done < kills + 50]
        over = p.returncode == -signal.SIGKILL and job.outputs() and job.forgotten()
        if over:
            wrong += filter(None, [job.refused(job.commands[step])])
        if p.returncode == -signal.SIGKILL and not over:
            continue
        if p.returncode not in (0, -signal.SIGKILL):
            wrong.append(f"{job.commands[step][1]}: status {p.returncode}")
            job.clear()
            step = 0
            continue
        step = (step + 1) % len(job.commands)
        if step == 0:
            runs += 1
            watcher.look()
            wrong += filter(None, [job.verdict()])
            dirty = False
    whole, bad = watcher.end()
    places = ", ".join(f"{k}: {v}" for k, v in sorted(job.states.items()))
    check(not wrong, f"{job.name}: {done} kills ({places}), {runs} runs to their end, same bytes", wrong)
    check(not bad and whole > 0, f"{job.name}: nothing but whole outputs seen ({whole} times)", bad)
    return job.states


def temporary(folder):
    return [n for n in os.listdir(folder) if n.endswith(".tmp")] if os.path.isdir(folder) else []


def files_of(folder):
    """The whole files, not those in the making, which go while one looks."""
    names = set(os.listdir(folder)) - set(temporary(folder)) if os.path.isdir(folder) else ()
    return {n: sha(os.path.join(folder, n)) for n in names if os.path.exists(os.path.join(folder, n))}


def catches(p, number):
    """Whether the program has come so far that it handles a signal."""
    with open(f"/proc/{p.pid}/status", encoding="ascii", errors="replace") as file:
        caught = re.search(r"^SigCgt:\s*([0-9a-f]+)", file.read(), re.MULTILINE)
    return bool(caught) and int(caught[1], 16) >> (number - 1) & 1 == 1


def interrupted(job, number, phase):
    """One signal in a phase; tried again if the program was over when it came."""
    what = f"{job.name}: {signal.Signals(number).name} in {phase}"
    for _ in range(20):
        p = job.start(job.commands[0])
        while p.poll() is None and not (job.reached(phase) and catches(p, number)):
            time.sleep(0.0002)
        before = files_of(job.work) if phase == "join" else {}
        p.send_signal(number)
        _, err = p.communicate(timeout=LIMIT)
        if p.returncode != 0:
            break
        job.clear()
    last = err.strip().splitlines()[-1:] or [""]
    check(p.returncode == 130 and last[0] == RESUME, f"{what}: status 130, says how to resume", (p.returncode, err))
    after = files_of(job.work)
    lost = [n for n, s in before.items() if after.get(n) != s]
    stray = temporary(job.work) + [n for n in os.listdir(job.top) if ".part" in n]
    check(not lost and not stray, f"{what}: the work folder is intact", lost + stray)
    p = job.start(job.commands[0])
    _, err = p.communicate(timeout=LIMIT)
    check(p.returncode == 0 and not job.verdict(), f"{what}: resumed, same bytes", err)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--kills", type=int, default=120)
    ap.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    ap.add_argument("--only", default="")
    o = ap.parse_args()
    print(f"seed {o.seed}", flush=True)
    program = os.path.abspath(o.program)
    with tempfile.TemporaryDirectory() as folder:
        film = os.path.join(folder, "film.mkv")
        clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x36:rate=3:duration=96", "-f", "lavfi", "-i",
                                "sine=sample_rate=8000:duration=96", "-c:v", "libx264", "-preset", "ultrafast", "-g",
                                "12", "-bf", "2", "-threads", "1", "-c:a", "aac", film))
        fast = ["--preset", "ultrafast"]
        jobs = [("mkv", film, "out.mkv", [*fast, "--temporal", "--workers", "2"], False, 0.4),
                ("mp4", film, "out.mp4", [*fast, "--workers", "1"], False, 0.2),
                ("verbs", film, "out.mkv", fast, True, 0.25),
                ("images", film, "out%03d.bmp", ["--duration", "20"], False, 0.15)]
        states = collections.Counter()
        for name, source, output, options, verbs, share in jobs:
            if o.only not in name:
                continue
            job = Job(program, folder, name, source, output, options, verbs)
            job.reference()
            states += killed(job, round(o.kills * share), random.Random(f"{o.seed} {name}"))
            for number in (signal.SIGINT, signal.SIGTERM) if name == "mkv" else ():
                for phase in ("plan", "work", "join"):
                    interrupted(job, number, phase)
        for phase in ("plan", "work", "join"):
            check(states[phase] > 0, f"killed in {phase}: {states[phase]} times")
    finish()


if __name__ == "__main__":
    main()
