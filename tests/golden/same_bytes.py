#!/usr/bin/env python3
"""The same bytes, however a job is run.

One film of several segments, with B-frames, several codecs: `upscale` with other numbers of
threads and workers and without SIMD, `plan` + `work` + `join` by hand in another order, and every
other segment on Mesa's software GPU where that is there, a run that was killed and resumed, one with
a damaged segment. All outputs must have the same sha256.

  same_bytes.py PROGRAM SAMPLE_PROGRAM [PART_OF_A_NAME]

Ends with `N passed, N failed, N skipped`.
"""
import glob, hashlib, os, shutil, signal, subprocess, sys, tempfile, time

from checks import EVERY, check, finish, run, some


# What makes Mesa's software device the only GPU.
GPU = {"VK_ICD_FILENAMES": icd for icd in glob.glob("/usr/share/vulkan/icd.d/lvp_icd*.json")}


def sha(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(f.read()).hexdigest()


class Case:
    """One configuration; every way of running it is compared with the first."""

    def __init__(self, program, folder, source, name, options, ext):
        self.program, self.folder, self.source, self.name = program, folder, source, name
        self.options, self.ext = options.split(), ext
        self.output = os.path.join(folder, f"{name}.{ext}")
        self.reference = None
        self.seconds = 0  # that the last run took
        self.gpu = name == "x264-all"  # which has every kernel

    def run(self, *args, env=None):
        return run(self.program, *args, env={**os.environ, **(env or {})})

    def upscale_args(self, *more):
        return ["upscale", self.source, self.output, "--progress", "none", *self.options, *more]

    def outcome(self, what, result):
        """Compares the output with the reference and removes it."""
        if result.returncode != 0 or not os.path.exists(self.output):
            check(False, f"{self.name}: {what}", f"status {result.returncode}: {result.stderr.strip()}")
            shutil.rmtree(self.output + ".kizunasr", ignore_errors=True)
            return
        digest = sha(self.output)
        os.remove(self.output)
        left = [f for f in os.listdir(self.folder) if f.startswith(f"{self.name}.{self.ext}")]
        if self.reference is None:
            self.reference = digest
        check(digest == self.reference, f"{self.name}: {what}", "other bytes")
        check(not left, f"{self.name}: {what}: nothing left behind", left)

    def upscale(self, what, *more, env=None):
        start = time.monotonic()
        self.outcome(what, self.run(*self.upscale_args(*more), env=env))
        self.seconds = time.monotonic() - start

    def segment(self, number):
        return os.path.join(self.output + ".kizunasr", f"{number:06}.seg")

    def by_hand(self):
        work = self.output + ".kizunasr"
        r = self.run("plan", self.source, self.output, "--progress", "none", *self.options)
        segments = int(r.stdout.strip() or 0)
        check(r.returncode == 0 and segments >= 3, f"{self.name}: plan prints the number of segments",
              f"{r.stdout!r} {r.stderr!r}")
        for n in reversed(range(segments)):
            gpu = GPU and n % 2 and self.gpu
            r = self.run("work", work, "--segment", str(n), *(["--device", "vulkan:0"] if gpu else []), env=GPU)
            check(r.returncode == 0 and ("stages run on llvmpipe" in r.stderr) == bool(gpu),
                  f"{self.name}: work on segment {n}", r.stderr)
        self.outcome("plan, work from the last to the first, join", self.run("join", work))

    def resumed(self):
        """Killed at several moments of a run as long as the last one, then run again."""
        for share in (0.2, 0.5, 0.8):
            p = subprocess.Popen([self.program, *self.upscale_args()], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            time.sleep(share * self.seconds)
            p.send_signal(signal.SIGKILL)
            p.wait()
            check(p.returncode in (0, -signal.SIGKILL), f"{self.name}: killed at {share} of its time", p.returncode)
            # On a busy machine a run may be quicker than the last one, and be killed in its last moments.
            there = os.path.exists(self.output)
            check(not there or sha(self.output) == self.reference, f"{self.name}: under the output's name nothing, or all of it")
            if there:
                os.remove(self.output)
        self.outcome("resumed after kill -9", self.run(*self.upscale_args()))

    def interrupted(self):
        """Stopped by SIGINT when the first segment is there, then run again."""
        p = subprocess.Popen([self.program, *self.upscale_args("--workers", "1")], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        while p.poll() is None and not os.path.exists(self.segment(0)):
            time.sleep(0.002)
        p.send_signal(signal.SIGINT)
        _, err = p.communicate()
        check(p.returncode == 130 and "resume" in err, f"{self.name}: SIGINT gives 130 and says how to resume",
              f"{p.returncode} {err}")
        self.outcome("resumed after SIGINT", self.run(*self.upscale_args()))

    def repaired(self):
        """A finished segment is damaged: its checksum finds out, and it is made again."""
        work = self.output + ".kizunasr"
        self.run("plan", self.source, self.output, "--progress", "none", *self.options)
        self.run("work", work)
        path = self.segment(1)
        data = bytearray(open(path, "rb").read())
        data[len(data) // 2] ^= 1
        open(path, "wb").write(data)
        r = self.run("join", work)
        check(r.returncode == 1, f"{self.name}: join refuses a damaged segment", f"{r.returncode} {r.stderr}")
        self.outcome("a damaged segment is made again", self.run(*self.upscale_args()))


def main():
    program, sample = (os.path.abspath(a) for a in sys.argv[1:3])
    folder = tempfile.mkdtemp()
    source = os.path.join(folder, "film.mkv")
    width, height = ("136", "72") if EVERY == 1 else ("72", "40")
    r = run(sample, "--width", width, "--height", height, "--frames", "300", "--fps", "12/1", "--gop",
            "20", "--bframes", "2", source)
    check(r.returncode == 0, "the film is drawn", r.stderr)
    cases = [("x264", "--preset veryfast", "mkv"),
             ("x264-all", "--preset veryfast --temporal --sharpening 0.5 --line-darkening 0.3 "
                          "--composite 0.5 --chroma-shift-x 0.5 --chroma-shift-y=-1 --deblock 0.5 --dehalo 0.5 --deband 0.5 --guided-chroma 1 --structure-smoothing 0.3 --antialias 0.9 --grain 1.3:2,2.5,3,3.5,4,3,2,1:0.4:1.5:0.5 --bitrate 400k", "mp4"),
             ("x265", "--codec libx265 --preset ultrafast", "mp4"),
             ("ffv1", "--codec ffv1 --audio-passthrough false --audio-codec flac", "mkv"),
             ("aac", "--preset ultrafast --audio-passthrough false", "mp4"),
             ("vp9", "--codec libvpx-vp9 --preset ultrafast --crf 45", "webm")]
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    for name, options, ext in cases:
        if only not in name:
            continue
        case = Case(program, folder, source, name, options, ext)
        case.upscale("threads 1, workers 1", "--threads", "1", "--workers", "1")
        if name == "vp9":  # libvpx has its own SIMD limit; the rest is as for the others
            case.upscale("no SIMD in libvpx", env={"VPX_SIMD_CAPS": "0"})
            case.upscale("threads 3, workers 2", "--threads", "3", "--workers", "2")
            case.resumed()
            continue
        ways = (("threads 3, workers 4", "--threads", "3", "--workers", "4"),
                ("threads 2, workers 1", "--threads", "2", "--workers", "1"),
                ("threads 1, workers 2", "--threads", "1", "--workers", "2"),
                ("another work folder", "--work-dir", os.path.join(folder, "elsewhere")),
                ("no SIMD, by option", "--cpu", "c"))
        steps = (case.by_hand, case.resumed, case.interrupted, case.repaired)
        if not name.startswith("x264"):  # all else is not the encoder's
            ways, steps = ways[:1], steps[:2]
        for what, *more in some(ways):
            case.upscale(what, *more)
        case.upscale("AVX2 at most, by variable", env={"KIZUNASR_CPU": "avx2"})
        for step in some(steps):
            step()
    shutil.rmtree(folder)
    finish()


if __name__ == "__main__":
    main()
