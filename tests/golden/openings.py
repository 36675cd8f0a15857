#!/usr/bin/env python3
"""A file that is opened again is not looked at again, and yet it is the same file (openings.c).

What FFmpeg found when a video was indexed is told to it when readers open the file once more. Streams, times and
packets must be those of a file that is opened for the first time.

  openings.py OPENINGS_PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import itertools, os, sys, tempfile

from checks import check, finish, run

X264 = "-c:v libx264 -preset ultrafast -threads 1 -g 12"
CODECS = {
    "h264": X264 + " -bf 3",
    "h264-plain": X264 + " -bf 0",
    # No number of reordered frames in its headers: FFmpeg waits for 20 frames to know.
    "h264-unsaid": X264 + " -bf 2 -bsf:v h264_metadata=video_full_range_flag=0,filter_units=remove_types=6",
    "h264-fields": X264 + " -flags +ilme+ildct -bf 2",
    "h264-pixels": X264 + " -pix_fmt yuv444p10le -vf setsar=4/3",
    "hevc": "-c:v libx265 -preset ultrafast -x265-params log-level=none:pools=1:frame-threads=1:keyint=12 -pix_fmt yuv420p10le",
    "mpeg4": "-c:v mpeg4 -bf 2 -g 12",
    "mpeg2": "-c:v mpeg2video -bf 2 -g 12",
    "vp9": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 12",
    "ffv1": "-c:v ffv1",
    "prores": "-c:v prores_ks -pix_fmt yuv422p10le",
    "mjpeg": "-c:v mjpeg",
}
CONTAINERS = {"mkv": "", "mp4": "", "mov": "", "fragments.mp4": "-movflags +frag_keyframe+empty_moov"}
HOLDS = {"mp4": ("h264", "hevc", "mpeg4", "mpeg2", "vp9"), "mov": ("prores", "mjpeg"), "fragments.mp4": ("h264", "mpeg4")}
# Irregular, and without a rate in the header; another beginning.
TIMES = {"even": "", "uneven": "-vf setpts=(N+mod(N\\,3)/4+2)/24/TB -vsync passthrough"}


def make(folder, name, codec, options, container):
    path = os.path.join(folder, name)
    r = run("ffmpeg", "-v", "error", "-y", "-cpuflags", "0", "-f", "lavfi", "-i", "testsrc2=s=64x48:d=2:r=24", "-f", "lavfi",
            "-i", "sine=d=2", "-map", "0:v", "-map", "1:a", *codec.split(), *options.split(), "-c:a", "aac", *container.split(), path)
    return path if r.returncode == 0 else None


def holds(container, codec):
    fit = HOLDS.get(container)
    return not fit or codec.split("-")[0] in fit


def main():
    program = os.path.abspath(sys.argv[1])
    skipped = 0
    with tempfile.TemporaryDirectory() as folder:
        for codec, container, times in itertools.product(CODECS, CONTAINERS, TIMES):
            if not holds(container, codec) or (times == "uneven" and "-vf" in CODECS[codec]):
                continue
            name = f"{codec}-{times}.{container}"
            path = make(folder, name, CODECS[codec], TIMES[times], CONTAINERS[container])
            if not path:
                skipped += 1
                continue
            r = run(program, path)
            check(r.returncode == 0 and "known, " in r.stdout, name, r.stdout + r.stderr)
        # A file that was replaced since: by one of another size, and of another codec.
        first = os.path.join(folder, "h264-even.mkv")
        large = make(folder, "large.mkv", CODECS["h264"], "-vf scale=96:64", "")
        for other in (large, os.path.join(folder, "mpeg4-even.mkv")):
            r = run(program, first, other)
            check("looked at again, " in r.stdout, f"{os.path.basename(other)} in its place", r.stdout + r.stderr)
        # Containers that do not tell all are looked at each time.
        for container, codec in (("ts", "h264-plain"), ("avi", "mjpeg"), ("nut", "mpeg4")):
            path = make(folder, f"plain.{container}", CODECS[codec], "", "")
            r = run(program, path)
            check(r.stdout == "nothing known\n", container, r.stdout + r.stderr)
    finish(skipped)


if __name__ == "__main__":
    main()
