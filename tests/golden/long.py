#!/usr/bin/env python3
"""Memory and open files stay flat over a long film.

A short and a long film of small pictures are upscaled. While each is run, the program's memory and
its open files are read many times. The long one may take no more than a little over the short one,
within it, the second half no more than the first; and open files never exceed a small number.

  long.py PROGRAM [--seconds N]     N: length of the long film, 600 unless given; 3600 for an hour

Ends with `N passed, N failed, N skipped`.
"""
import argparse, os, subprocess, tempfile, time

import clips
from checks import check, finish

SHORT = 60
RATE = 12
# What the plan knows of a film grows with it: an index entry and the manifest's JSON of every frame.
# Measured over an hour: about 105 bytes a frame. All else must not grow.
BYTES_PER_FRAME = 256
SLACK_KIB = 8 * 1024
MAX_FILES = 12  # standard streams, the lock, per worker the input and a segment, for a moment a few more


def film(folder, seconds):
    path = os.path.join(folder, f"film{seconds}.mkv")
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=48x32:rate={RATE}:duration={seconds}", "-f", "lavfi", "-i",
                            f"sine=sample_rate=8000:duration={seconds}", "-c:v", "libx264", "-preset", "ultrafast",
                            "-threads", "1", "-g", "48", "-bf", "2", "-c:a", "aac", path))
    return path


def kib(pid, name):
    with open(f"/proc/{pid}/status") as f:
        return next((int(line.split()[1]) for line in f if line.startswith(name + ":")), 0)


def watch(program, source, output):
    """Returns samples (memory in KiB, open files) of a run, its peak in KiB, and its exit status."""
    args = [program, "upscale", source, output, "--preset", "ultrafast", "--workers", "2", "--log-level", "error",
            "--progress", "none"]
    p = subprocess.Popen(args, stdout=subprocess.DEVNULL)
    samples, peak = [], 0
    while p.poll() is None:
        try:
            working = any(n.endswith(".seg") for n in os.listdir(output + ".kizunasr"))
            now = kib(p.pid, "VmRSS"), len(os.listdir(f"/proc/{p.pid}/fd"))
            peak = max(peak, kib(p.pid, "VmHWM"))
            if working:
                samples.append(now)
        except OSError:
            pass
        time.sleep(0.02)
    return samples, peak, p.returncode


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--seconds", type=int, default=600)
    o = ap.parse_args()
    program = os.path.abspath(o.program)
    with tempfile.TemporaryDirectory() as folder:
        peaks, files = {}, {}
        for seconds in (SHORT, o.seconds):
            samples, peaks[seconds], status = watch(program, film(folder, seconds), f"{folder}/out{seconds}.mkv")
            check(status == 0 and samples, f"{seconds} s of film: runs, {len(samples)} samples", status)
            files[seconds] = max((n for _, n in samples), default=0)
            half = len(samples) // 2
            first, second = (max((m for m, _ in part), default=0) for part in (samples[:half], samples[half:]))
            print(f"{seconds} s: peak {peaks[seconds]} KiB, {first} and {second} KiB in its halves, {files[seconds]} files open")
        frames = (o.seconds - SHORT) * RATE
        allowed = SLACK_KIB + frames * BYTES_PER_FRAME // 1024
        check(second <= first + allowed, "memory: its second half takes no more than its first", (first, second))
        check(peaks[o.seconds] <= peaks[SHORT] + allowed, f"memory: the long film takes what the short one does, and "
              f"{BYTES_PER_FRAME} bytes a frame", peaks)
        check(max(files.values()) <= MAX_FILES, f"open files: never more than {MAX_FILES}", files)
    finish()


if __name__ == "__main__":
    main()
