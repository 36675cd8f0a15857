#!/usr/bin/env python3
"""AI mode needs little memory beside frames, whatever the picture's size.

  ai_memory.py PROGRAM

Doubles a 1080p and a 4K picture with the filters and with the default network. The network's peak
may be 200 MB above the filters' (measured: 18 MB, 32 MB). Ends with `N passed, N failed, N skipped`.
"""

import os
import subprocess
import sys
import tempfile

from checks import check, finish

LIMIT = 200e6


def peak(command):
    """Exit status, and the most resident bytes that a command had."""
    pid = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024


def size_of(path):
    with open(path, "rb") as f:
        head = f.read(24)
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        for width, height in ((1920, 1080), (3840, 2160)):
            picture = f"{scratch}/{height}.png"
            subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                            f"testsrc2=size={width}x{height}:rate=1", "-frames:v", "1", picture],
                           check=True)
            peaks = []
            for name, more in (("filters", []), ("ai", ["--use-ai"])):
                out = f"{scratch}/{height}-{name}.png"
                status, memory = peak([program, "upscale", picture, out, "--threads", "2",
                                       "--progress", "none", "--log-level", "error", *more])
                check(status == 0 and size_of(out) == (2 * width, 2 * height),
                      f"{height} lines, {name}: doubled", status)
                peaks.append(memory)
            check(peaks[1] - peaks[0] < LIMIT, f"{height} lines: the network needs little", peaks)
            print(f"{height} lines: {peaks[0] / 1e6:.0f} MB with filters, {peaks[1] / 1e6:.0f} MB with AI")
    finish()


if __name__ == "__main__":
    main()
