#!/usr/bin/env python3
"""Makes a short film of two segments, with sound and subtitles, and starves its run; see starve.c.

  starve.py STARVE [--step N] [--libraries N]
"""
import argparse, os, subprocess, sys, tempfile

import clips


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("starve")
    parser.add_argument("--step", type=int, default=1, help="fail every N-th of our own (default: each)")
    parser.add_argument("--libraries", type=int, default=1, help="every N-th of the libraries' (0: none)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = os.path.join(folder, "film.mkv")
        clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=48x32:rate=1:duration=9", "-f", "lavfi", "-i",
                                "sine=frequency=440:sample_rate=8000:duration=2", "-i",
                                clips.subtitle(folder, "ass"), "-map", "0", "-map", "1", "-map", "2", "-c:v",
                                "libx264", "-preset", "ultrafast", "-threads", "1", "-g", "4", "-c:a", "mp2",
                                "-c:s", "copy", "-bitexact", film))
        work = os.path.join(folder, "work")
        os.mkdir(work)
        r = subprocess.run([options.starve, film, work, str(options.step), str(options.libraries)])
    sys.exit(r.returncode)


if __name__ == "__main__":
    main()
