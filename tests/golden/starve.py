#!/usr/bin/env python3
"""Makes a short film of two segments, with sound and subtitles, and starves runs on it; see starve.c.

And a transport stream, whose packets come out of a parser: FFmpeg hands them out even if there is no
room for one.

  starve.py STARVE [--step N[+FIRST]] [--libraries N] [--what copy,change,verbs,verify,look]
"""
import argparse, os, subprocess, sys, tempfile

import clips

WHAT = ["copy", "change", "verbs", "verify", "look"]


def make_film(folder):
    film = os.path.join(folder, "film.mkv")
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=48x32:rate=1:duration=9", "-f", "lavfi", "-i",
                            "sine=frequency=440:sample_rate=8000:duration=2", "-i",
                            clips.subtitle(folder, "srt"), "-map", "0", "-map", "1", "-map", "2", "-c:v",
                            "libx264", "-preset", "ultrafast", "-threads", "1", "-g", "4", "-c:a", "mp2",
                            "-c:s", "copy", "-bitexact", film))
    return film


def make_stream(folder):
    stream = os.path.join(folder, "stream.ts")
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=48x32:rate=5:duration=1", "-c:v", "libx264", "-preset",
                            "ultrafast", "-threads", "1", "-g", "4", "-bf", "0", "-bitexact", stream))
    return stream


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("starve")
    parser.add_argument("--step", default="1", help="fail every N-th of our own, from number FIRST on (default: each)")
    parser.add_argument("--libraries", type=int, default=1, help="every N-th of the libraries' (0: none); -N: of those that no other calls led to")
    parser.add_argument("--what", default=",".join(WHAT))
    options = parser.parse_args()
    failed = passed = 0
    with tempfile.TemporaryDirectory() as folder:
        film = make_film(folder)
        runs = [(what, film, options.step, str(options.libraries)) for what in options.what.split(",")]
        if "verbs" in options.what:
            runs.append(("verbs", make_stream(folder), "0", "-2", "av_parser_init", "av_read_frame", "ksr_join"))
        for i, (what, source, *which) in enumerate(runs):
            work = os.path.join(folder, f"{what}{i}")
            os.mkdir(work)
            r = subprocess.run([options.starve, what, source, work, *which], stdout=subprocess.PIPE, text=True)
            *lines, last = r.stdout.splitlines() or ["nothing was said"]
            print(*lines, sep="\n")
            words = last.split()
            passed += int(words[0]) if len(words) == 6 else 0
            failed += int(words[2]) if len(words) == 6 else 1
            if r.returncode not in (0, 1):
                print(f"FAIL {what}: ended with {r.returncode}")
                failed += 1
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
