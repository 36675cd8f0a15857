#!/usr/bin/env python3
"""Audio that is re-encoded: does every good output pass, and does every bad one fail?

Tracks that change their channels or sample rate midway, low and odd rates in every codec and
container, packets without lengths or with wrong ones, audio shorter than a frame of its encoder.
upscale and verify must accept what comes out. Then outputs are altered: what has lost audio, or has
it at another time, must fail.

  sound.py PROGRAM [--only WORD] [--keep DIR]

Ends with `N passed, N failed, N skipped`.
"""
import argparse, os, shutil, sys, tempfile

import clips
from checks import check, finish, run

QUICK = ("--preset", "ultrafast", "--crf", "30", "--workers", "1", "--threads", "1", "--progress", "none",
         "--log-level", "warning", "--overwrite", "--fresh")
ANEW = ("--audio-passthrough", "false")


class Bench:
    """The program, a folder, and what is asked of them."""

    def __init__(self, program, folder):
        self.program, self.folder, self.skipped = os.path.abspath(program), folder, 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, *args):
        """A file made by ffmpeg; None where this one lacks the encoder."""
        trouble = clips.ffmpeg(*args, self.path(name))
        if trouble:
            print(f"skip {name}: {trouble}")
            self.skipped += 1
        return None if trouble else self.path(name)

    def upscale(self, source, name, *options):
        return run(self.program, "upscale", source, self.path(name), *QUICK, *options)

    def verify(self, source, output):
        return run(self.program, "verify", source, output)

    def good(self, what, source, name, *options):
        """upscale and verify both accept. Returns what upscale said, or None."""
        r = self.upscale(source, name, *options)
        if not check(r.returncode == 0, f"{what}: upscale", f"exit {r.returncode}: {r.stderr.strip()}"):
            return None
        v = self.verify(source, self.path(name))
        failed = [l for l in v.stdout.splitlines() if l.startswith("FAIL")]
        check(v.returncode == 0, f"{what}: verify", f"exit {v.returncode}: {failed or v.stderr.strip()}")
        return r.stderr


def picture(seconds, rate=25, size="64x48"):
    return ("-f", "lavfi", "-i", f"testsrc2=s={size}:d={seconds}:r={rate}")


def noise(seconds, rate=48000):
    return ("-f", "lavfi", "-i", f"anoisesrc=d={seconds}:r={rate}:a=0.3:seed=7")


# --- Tracks that change midway ---

# name, options of the first half and of the second
CHANGES = [("stereo-mono", "-ac 2 -c:a mp2", "-ac 1 -c:a mp2"), ("mono-stereo", "-ac 1 -c:a mp2", "-ac 2 -c:a mp2"),
           ("5.1-stereo", "-ac 6 -c:a ac3", "-ac 2 -c:a ac3"), ("rate", "-ar 48000 -c:a mp2", "-ar 44100 -c:a mp2"),
           ("all", "-ac 1 -ar 32000 -c:a ac3", "-ac 6 -ar 48000 -c:a ac3")]


def changes(bench):
    for name, first, second in CHANGES:
        parts = []
        for number, options in enumerate((first, second)):
            parts.append(bench.make(f"{name}{number}.ts", *picture(1.2), *noise(1.2), *options.split(), "-c:v", "mpeg2video",
                                    "-bf", "0", "-output_ts_offset", number * 1.2))
        if None in parts:
            continue
        source = bench.path(name + ".ts")
        clips.write(bench.folder, name + ".ts", b"".join(open(p, "rb").read() for p in parts))
        bench.good(f"{name} midway, re-encoded", source, name + ".mkv", *ANEW)
        if name == "stereo-mono":
            bench.good(f"{name} midway, copied", source, name + "-copy.ts")
            page = run(bench.program, "report", source, bench.path(name + ".mkv"), "-o", bench.path("page.html"))
            check(page.returncode == 0, f"{name} midway: report", page.stderr)
            page = run(bench.program, "preview", source, "-o", bench.path("preview"), *ANEW, "--progress", "none")
            check(page.returncode == 0, f"{name} midway: preview", page.stderr)


PARTS = {"changes": changes}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--only", default="")
    ap.add_argument("--keep")
    o = ap.parse_args()
    folder = o.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    bench = Bench(o.program, folder)
    for name, part in PARTS.items():
        if o.only in name:
            part(bench)
    if not o.keep:
        shutil.rmtree(folder)
    finish(bench.skipped)


if __name__ == "__main__":
    main()
