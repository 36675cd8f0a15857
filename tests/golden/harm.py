#!/usr/bin/env python3
"""Damaged inputs: never a crash, a hang or a leak, and the same outcome every time.

Small films of two segments, of several codecs in several containers, with bits turned, parts cut off,
taken out, zeroed or doubled. `harm` (harm.c) runs probe and upscale on each, with every policy for bad
frames, in one process for many files: it says what must hold. In the build with sanitizers a leak or
an access out of bounds ends that process with status 99.

  harm.py HARM [--count N] [--seed S] [--keep FOLDER] [--only K]

Every file is made from S and its number alone. Ends with `N passed, N failed, N skipped`.
"""
import argparse, collections, os, random, re, subprocess, sys, tempfile

import clips

PICTURE = "testsrc2=size=48x32:rate=6:duration=9"
SOUND = "sine=frequency=440:sample_rate=16000:duration=9"
BATCH = 24  # files in one process

# name: encoder options of the picture, of the sound (None = no sound)
FILMS = {
    "h264.mp4": ("-c:v libx264 -preset ultrafast -threads 1 -g 12 -bf 2", "-c:a aac"),
    "h264.mkv": ("-c:v libx264 -preset veryfast -threads 1 -g 60 -bf 2", "-c:a mp2"),
    "h264.ts": ("-c:v libx264 -preset ultrafast -threads 1 -g 12", "-c:a aac"),
    "h264.flv": ("-c:v libx264 -preset ultrafast -threads 1 -g 12", None),
    "hevc.mp4": ("-c:v libx265 -preset ultrafast -x265-params log-level=none:pools=none -s 64x64 -g 12",
                 "-c:a aac"),
    "vp9.webm": ("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 12", "-c:a libopus"),
    "vp8.webm": ("-c:v libvpx -deadline realtime -cpu-used 8 -g 12", None),
    "mpeg2.ts": ("-c:v mpeg2video -g 9 -bf 2 -r 24", "-c:a mp2"),
    "mpeg2.mpg": ("-c:v mpeg2video -g 9 -bf 2 -r 24", "-c:a mp2"),
    "mpeg4.avi": ("-c:v mpeg4 -g 9 -bf 1", "-c:a mp2"),
    "mjpeg.avi": ("-c:v mjpeg -q:v 4", "-c:a pcm_s16le"),
    "mjpeg.mov": ("-c:v mjpeg -q:v 4", "-c:a pcm_s16le"),
    "prores.mov": ("-c:v prores_ks -profile:v 0", None),
    "ffv1.mkv": ("-c:v ffv1 -level 3 -slicecrc 1 -g 1", "-c:a flac"),
    "theora.ogg": ("-c:v libtheora -g 9", None),
    "png.mov": ("-c:v png", None),
    "wmv2.asf": ("-c:v wmv2 -g 9", None),
}


def make_films(folder):
    """The undamaged films, and how many could not be made with this ffmpeg."""
    films, missing = [], 0
    for name, (video, audio) in FILMS.items():
        path = os.path.join(folder, name)
        sound = ["-f", "lavfi", "-i", SOUND, *audio.split(), "-ac", "1", "-strict", "-2"] if audio else []
        inputs = ["-f", "lavfi", "-i", PICTURE, *sound[:4]]
        trouble = clips.ffmpeg(*inputs, *video.split(), *sound[4:], "-bitexact", path)
        if trouble:
            print(f"skipped {name}: {trouble}")
            missing += 1
        else:
            with open(path, "rb") as file:
                films.append((name, file.read()))
    return films, missing


def turn_bits(data, rng, low, high, count):
    for _ in range(count):
        data[rng.randrange(low, high)] ^= 1 << rng.randrange(8)


def damage(original, rng):
    """A damaged copy, and what was done to it."""
    data, size = bytearray(original), len(original)
    kind = rng.choice(("cut", "bits", "bits", "head", "tail", "zero", "out", "twice", "noise"))
    at = rng.randrange(size)
    length = min(rng.choice((1, 7, 64, 500, 4000)), size - at)
    if kind == "cut":
        del data[at:]
    elif kind == "bits":
        turn_bits(data, rng, 0, size, rng.choice((1, 3, 10, 50)))
    elif kind == "head":  # where containers say what is in them
        turn_bits(data, rng, 0, min(600, size), rng.choice((1, 2, 4)))
    elif kind == "tail":
        turn_bits(data, rng, max(0, size - 1500), size, rng.choice((1, 2, 4)))
    elif kind == "zero":
        data[at:at + length] = bytes(length)
    elif kind == "out":
        del data[at:at + length]
    elif kind == "twice":
        data[at:at] = data[at:at + length]
    else:
        data[at:at + length] = rng.randbytes(length)
    return bytes(data), kind


def make_gap(folder):
    """Sound of which one frame late in the film is not one any more: the times after it still count."""
    path = os.path.join(folder, "gap.avi")
    if clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=48x32:rate=2:duration=4", "-f", "lavfi", "-i",
                    "anoisesrc=d=4:r=48000:a=0.3:seed=1", "-c:v", "mjpeg", "-c:a", "libmp3lame", "-bitexact", path):
        return None
    with open(path, "rb") as file:
        data = bytearray(file.read())
    frames = [m.start() + 8 for m in re.finditer(b"01wb....\xff", data, re.DOTALL)]
    data[frames[100] + 1] ^= 0x20
    return clips.write(folder, "gap.avi", bytes(data))


def try_gap(harm, folder):
    """Copied as it is, at the times that it has: no reason to refuse the output."""
    path = make_gap(folder)
    if not path:
        return True
    line = run_files(harm, folder, [path])[path]
    ok = "abort 0, repeat 0 (0), skip 0 (0)" in line
    print(("ok   " if ok else "FAIL ") + "damaged sound is copied as it is" + ("" if ok else ": " + line))
    os.remove(path)
    return ok


def environment():
    """A damaged size must be refused as by any malloc(), not end the program."""
    env = dict(os.environ)
    env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "exitcode=99") + ":allocator_may_return_null=1"
    return env


def run_batch(harm, folder, files):
    """Returns {file: line}, and what went wrong with the process as a whole: "" if nothing."""
    r = subprocess.run([harm, folder, *files], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       errors="replace", env=environment())
    lines, begun = {}, None
    for line in r.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word == "begin":
            begun = rest
        elif word in ("ok", "FAIL") and begun and rest.startswith(begun + ":"):
            lines.setdefault(begun, line)
    trouble = f"status {r.returncode}\n{r.stdout[-6000:]}" if r.returncode not in (0, 1) else ""
    return lines, trouble


def run_files(harm, folder, files):
    """The same, file by file where a process came to harm."""
    lines, trouble = run_batch(harm, folder, files)
    if not trouble:
        return lines
    for file in files:
        one, trouble = run_batch(harm, folder, [file])
        lines[file] = f"FAIL {file}: {trouble}" if trouble else one.get(file, f"FAIL {file}: no answer")
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("harm")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--keep", help="keep files that fail in this folder")
    parser.add_argument("--only", type=int, help="this number alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        films, missing = make_films(folder)
        batch, kinds = [], {}
        passed = int(try_gap(os.path.abspath(options.harm), folder))
        failed = 1 - passed
        summary = collections.Counter()
        # The undamaged ones come first: they must pass whatever is held against the others.
        numbers = [options.only] if options.only is not None else range(-len(films), options.count)
        for n in numbers:
            name, original = films[n % len(films)]
            data, kind = damage(original, random.Random(f"{options.seed}:{n}")) if n >= 0 else (original, "whole")
            stem, ext = os.path.splitext(name)
            path = clips.write(folder, f"{stem}-{max(n, 0):04d}-{kind}{ext}", data)
            batch.append(path)
            kinds[path] = kind
            if len(batch) < BATCH and n != numbers[-1]:
                continue
            for path, line in run_files(os.path.abspath(options.harm), folder, batch).items():
                ok = line.startswith("ok ")
                if ok and kinds[path] == "whole" and "abort 0, repeat 0 (0), skip 0 (0)" not in line:
                    ok, line = False, "FAIL (undamaged) " + line
                passed, failed = passed + ok, failed + (not ok)
                summary[line.split(": ", 1)[1].split(")  ")[0].split(" frame")[0] if ok else "FAIL"] += 1
                if not ok:
                    print(line)
                if not ok and options.keep:
                    os.replace(path, os.path.join(options.keep, os.path.basename(path)))
            for path in batch:
                if os.path.exists(path):
                    os.remove(path)
            batch = []
        counts = collections.Counter(k.split(",")[0] for k in summary.elements())
        print("outcomes: " + ", ".join(f"{k}: {v}" for k, v in sorted(counts.items())))
    print(f"{passed} passed, {failed} failed, {missing} skipped")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
