#!/usr/bin/env python3
"""A heap that cannot grow where it is costs nothing: the same output as ever (blocked.c).

  blocked.py PROGRAM BLOCKED_PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import os, subprocess, sys, tempfile

from checks import check, finish, run


def main():
    program, blocked = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "source.mkv")
        run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=960x540:rate=24:duration=1", "-c:v", "libx264",
            "-preset", "ultrafast", "-pix_fmt", "yuv420p", source)
        outputs = []
        for name, which in ("plain", program), ("blocked", blocked):
            outputs.append(os.path.join(folder, f"{name}.mkv"))
            r = subprocess.run([which, "upscale", source, outputs[-1], "--preset", "ultrafast", "--device", "cpu", "--progress",
                                "none", "--workers", "1"], capture_output=True, text=True)
            check(r.returncode == 0, f"{name}: exit status", r.stderr)
        if all(map(os.path.exists, outputs)):
            plain, made = (open(path, "rb").read() for path in outputs)
            check(plain == made, "the same bytes")
    finish()


if __name__ == "__main__":
    main()
