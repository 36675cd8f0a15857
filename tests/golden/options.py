#!/usr/bin/env python3
"""Every encoder option, checked in the file that was written.

crf 0 must be lossless: the decoded video equals that of ffv1, for every encoder that has it, at 8
and 10 bits. Codec, pixel format, crf, preset, bit rates, container and audio are read back with
ffprobe, and from the settings that x264 writes into its stream.

  options.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import json, os, sys, tempfile

from checks import check, finish, run


def make(path, pixel_format):
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=24:duration=4",
        "-f", "lavfi", "-i", "sine=duration=4:sample_rate=48000", "-c:v", "libx264", "-preset",
        "ultrafast", "-pix_fmt", pixel_format, "-c:a", "aac", path)
    return path


def video_md5(path):
    return run("ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-f", "md5", "-").stdout


def streams(path):
    r = run("ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", path)
    found = json.loads(r.stdout or "{}")
    by_type = {s["codec_type"]: s for s in found.get("streams", [])}
    return by_type.get("video", {}), by_type.get("audio", {}), found.get("format", {})


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        eight = make(os.path.join(folder, "8.mkv"), "yuv420p")
        ten = make(os.path.join(folder, "10.mkv"), "yuv420p10le")

        def upscale(name, source, *options):
            path = os.path.join(folder, name)
            r = run(program, "upscale", source, path, "--progress", "none", *options)
            check(r.returncode == 0, f"{name}: {' '.join(options)}", r.stderr)
            return path

        for bits, source in ((8, eight), (10, ten)):
            wanted = video_md5(upscale(f"ffv1-{bits}.mkv", source, "--codec", "ffv1"))
            for codec in ("libx264", "libx265", "libvpx-vp9"):
                path = upscale(f"{codec}-{bits}.mkv", source, "--codec", codec, "--crf", "0")
                check(video_md5(path) == wanted != "", f"{codec}, {bits} bits: crf 0 is lossless")

        for codec in ("libx264", "libx265"):
            v, _, _ = streams(upscale(f"{codec}-rate.mp4", eight, "--codec", codec, "--bitrate", "500k"))
            rate = int(v.get("bit_rate", 0))
            check(400000 < rate < 600000, f"{codec}: bitrate 500k", rate)

        sizes = []
        for preset, crf in (("ultrafast", "0"), ("ultrafast", "1"), ("veryfast", "30"), ("faster", "63"), ("placebo", "63")):
            path = upscale(f"vp9-{preset}-{crf}.webm", eight, "--codec", "libvpx-vp9", "--preset", preset,
                           "--crf", crf, "--audio-passthrough", "false", "--audio-codec", "libopus")
            sizes.append(os.path.getsize(path))
            v, a, f = streams(path)
            check((v.get("codec_name"), a.get("codec_name")) == ("vp9", "opus") and "webm" in f.get("format_name", ""),
                  f"libvpx-vp9: {preset}, crf {crf}, in WebM", f"{v.get('codec_name')} {f.get('format_name')}")
        check(sizes == sorted(sizes, reverse=True) and len(set(sizes)) == len(sizes),
              "libvpx-vp9: a higher crf is smaller, a slower preset too", sizes)
        a = upscale("vp9-a.mkv", eight, "--codec", "libvpx-vp9", "--preset", "fast")
        b = upscale("vp9-b.mkv", eight, "--codec", "libvpx-vp9", "--preset", "ultrafast", "--encoder-option",
                    "deadline=good", "--encoder-option", "cpu-used=4")
        check(video_md5(a) == video_md5(b) != "", "libvpx-vp9: an encoder option wins over the preset")
        v, _, f = streams(upscale("vp9-rate.mkv", eight, "--codec", "libvpx-vp9", "--preset", "ultrafast", "--bitrate", "200k"))
        rate = os.path.getsize(os.path.join(folder, "vp9-rate.mkv")) * 8 / float(f.get("duration", 1)) - 69000
        check(140000 < rate < 280000, "libvpx-vp9: bitrate 200k", rate)

        path = upscale("picture.mkv", eight, "--pixel-format", "yuv444p10le", "--preset", "slow", "--crf", "23")
        v, _, _ = streams(path)
        settings = open(path, "rb").read()
        check(v.get("pix_fmt") == "yuv444p10le", "pixel_format", v.get("pix_fmt"))
        for text in (b"crf=23.0", b"subme=8", b"threads=3", b"lookahead_threads=1"):
            check(text in settings, f"x264 wrote {text.decode()}")

        _, _, f = streams(upscale("film.bin", eight, "--format", "matroska"))
        check("matroska" in f.get("format_name", ""), "format", f.get("format_name"))

        _, a, _ = streams(upscale("audio.mkv", eight, "--audio-passthrough", "false", "--audio-codec", "libopus"))
        check(a.get("codec_name") == "opus", "audio_codec", a.get("codec_name"))
        _, a, _ = streams(upscale("audio.mp4", eight, "--audio-passthrough", "false", "--audio-bitrate", "64k"))
        check(50000 < int(a.get("bit_rate", 0)) < 75000, "audio_bitrate", a.get("bit_rate"))

        for codec, name, ext in (("mpeg4", "mpeg4", "mkv"), ("mpeg2video", "mpeg2video", "ts"), ("mjpeg", "mjpeg", "mov")):
            v, _, _ = streams(upscale(f"other-{codec}.{ext}", eight, "--codec", codec))
            check(v.get("codec_name") == name, f"any other encoder: {codec}", v.get("codec_name"))
    finish()


if __name__ == "__main__":
    main()
