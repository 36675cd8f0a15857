#!/usr/bin/env python3
"""What the borders of segments cost: quality around them, and bytes.

Upscales a film without loss; encodes the result once as KizunaSR does, in segments, and once in one
piece with the same encoder settings; and compares both with the lossless one, frame by frame.

  borders.py PROGRAM FILM [--codec libx264] [--preset medium] [--crf 18] [--check]

Prints mean PSNR (luma) of all frames and of those within half a second of a border, and the sizes.
--check: fails when the frames around borders are more than 0.5 dB worse than in one piece, or the bytes
more than a tenth more. Measured figures are in docs/segments.md.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile


def run(*args):
    r = subprocess.run(args, capture_output=True, text=True)
    if r.returncode != 0:
        sys.exit(f"borders.py: {' '.join(args)}: {r.stderr}")
    return r.stdout


def frame_psnr(path, reference, stats):
    run("ffmpeg", "-v", "error", "-y", "-i", path, "-i", reference, "-lavfi",
        f"[0:v]setpts=N[a];[1:v]setpts=N[b];[a][b]psnr=stats_file={stats}", "-f", "null", "-")
    with open(stats) as file:
        values = [line.split("psnr_y:")[1].split()[0] for line in file if "psnr_y:" in line]
    return [100.0 if v == "inf" else float(v) for v in values]


def video_bytes(path):
    r = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=size", "-of", "csv=p=0", path)
    return sum(int(word) for word in r.replace(",", " ").split())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("film")
    parser.add_argument("--codec", default="libx264")
    parser.add_argument("--preset", default="medium")
    parser.add_argument("--crf", default="18")
    parser.add_argument("--check", action="store_true")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = lambda name: os.path.join(folder, name)
        common = (o.program, "upscale", o.film)
        run(*common, place("lossless.mkv"), "--codec", "ffv1", "--progress", "none")
        run(*common, place("cut.mkv"), "--codec", o.codec, "--preset", o.preset, "--crf", o.crf, "--progress", "none",
            "--keep-work")
        with open(place("cut.mkv.kizunasr/manifest.json")) as file:
            manifest = json.load(file)
        options = [word for k, v in manifest["encoder"]["options"].items() for word in (f"-{k}", v)]
        run("ffmpeg", "-v", "error", "-y", "-i", place("lossless.mkv"), "-map", "0:v:0", "-c:v", o.codec, *options,
            "-threads", "1", "-pix_fmt", manifest["encoder"]["format"]["pixel_format"], place("whole.mkv"))
        cut, whole = (frame_psnr(place(n), place("lossless.mkv"), place("stats")) for n in ("cut.mkv", "whole.mkv"))
        sizes = [video_bytes(place(n)) for n in ("cut.mkv", "whole.mkv")]
        rate = manifest["film"]["format"]["frame_rate"]
        near = round(rate[0] / rate[1] / 2) if rate[1] else 12
        borders = [s["first"] for s in manifest["segments"][1:]]
        around = sorted({i for b in borders for i in range(max(0, b - near), min(len(cut), b + near))})
        first = [whole_value - cut_value for whole_value, cut_value in ((whole[b], cut[b]) for b in borders)]
    mean = lambda values, places: statistics.fmean(values[i] for i in places)
    every = range(len(cut))
    print(f"{len(cut)} frames, {len(borders) + 1} segments, {o.codec} {o.preset} crf {o.crf}")
    print(f"PSNR of all frames: in segments {mean(cut, every):.2f} dB, in one piece {mean(whole, every):.2f} dB")
    around_cut, around_whole = mean(cut, around), mean(whole, around)
    print(f"PSNR around borders: in segments {around_cut:.2f} dB, in one piece {around_whole:.2f} dB; first frame "
          f"at most {max(first):.2f} dB lower")
    print(f"bytes: in segments {sizes[0]}, in one piece {sizes[1]}: {100 * (sizes[0] / sizes[1] - 1):+.1f} %")
    if o.check:
        ok = around_cut > around_whole - 0.5, sizes[0] < sizes[1] * 1.1
        print(f"{sum(ok)} passed, {2 - sum(ok)} failed, 0 skipped")
        sys.exit(0 if all(ok) else 1)


if __name__ == "__main__":
    main()
