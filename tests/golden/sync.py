#!/usr/bin/env python3
"""Sound against picture: does a click stay where its flash is?

A film with a white flash and a click at uneven moments goes through the program in every container
and with every kind of audio delay: codecs with priming, audio that begins before or after the video,
tracks that are copied and tracks that are encoded anew. From the decoded pictures and samples of
input and output, not from their headers, follows how far the clicks have moved against the flashes:
it must be less than 1 ms.

  sync.py PROGRAM [--only WORD] [--keep DIR]

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, shutil, sys, tempfile

try:
    import numpy as np
except ImportError:
    print("numpy is missing\n0 passed, 0 failed, 1 skipped")
    sys.exit(77)

from checks import check, finish, run

RATE = 48000
FPS = 24
FRAMES = 72
FLASHES = (9, 20, 33, 41, 58)  # frames, unevenly apart so that only one shift fits

# name, container of the input, video options, audio options, seconds the audio is late (negative:
# the video is), outputs with options
H264 = "-c:v libx264 -preset ultrafast -g 24 -bf 2"
ANEW = "--audio-passthrough false"
CASES = [
    ("aac", "mp4", H264, "-c:a aac", 0, ["mp4", "mkv", "mov", "ts", "avi --preset medium"]),
    ("aac-late", "mkv", H264, "-c:a aac", 0.31, ["mp4", "mkv", "ts"]),
    ("aac-early", "mkv", H264, "-c:a aac", -0.31, ["mp4", "mkv", "ts"]),
    ("aac-anew", "mp4", H264, "-c:a aac", 0, ["mp4 " + ANEW, "mkv " + ANEW, "ts " + ANEW, "avi " + ANEW]),
    ("aac-anew-late", "mp4", H264, "-c:a aac", 0.31, ["mp4 " + ANEW, "mkv " + ANEW, "avi " + ANEW]),
    ("opus", "webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 24", "-c:a libopus", 0,
     ["webm --codec libvpx-vp9", "mkv", "mp4", "mkv --audio-codec libopus " + ANEW,
      "mp4 --audio-codec libopus " + ANEW]),
    ("opus-late", "mkv", H264, "-c:a libopus", 0.31, ["mkv", "mp4"]),
    ("vorbis", "mkv", H264, "-c:a libvorbis", 0, ["mkv", "mp4", "mkv --audio-codec libvorbis " + ANEW]),
    ("mp3", "mkv", H264, "-c:a libmp3lame", 0, ["mkv", "mp4", "avi --codec mpeg4", "ts"]),
    ("mp3-avi", "avi", "-c:v mpeg4 -q:v 3 -bf 2", "-c:a libmp3lame", 0, ["mkv", "mp4"]),
    ("ac3-ts", "ts", H264, "-c:a ac3", 0.1, ["mkv", "mp4", "ts"]),
    ("flac", "mkv", H264, "-c:a flac", -0.1, ["mkv", "mp4"]),
    ("pcm", "mov", H264, "-c:a pcm_s16le -ar 44100", 0.31, ["mov", "mkv", "mp4"]),
    ("aac-cut", "mp4", H264, "-c:a aac", 0, ["mp4 --start 0.3 --duration 2.5", "mkv --start 0.3 --duration 2.5"]),
    ("opus-cut", "mkv", H264, "-c:a libopus", 0.2, ["mkv --start 0.3", "mp4 --start 0.3"]),
]


def write_film(folder):
    """The pictures and the sound, raw; sound and picture begin together."""
    pictures = np.full((FRAMES, 36, 64), 32, np.uint8)
    pictures[:, 8:16, 8:16] = (np.arange(FRAMES) * 3)[:, None, None]  # something that moves
    pictures[list(FLASHES)] = 235
    sound = np.zeros(FRAMES * RATE // FPS, np.float32)
    click = 0.8 * np.sin(2 * np.pi * 2000 / RATE * np.arange(240)) * np.hanning(240)
    for f in FLASHES:
        at = f * RATE // FPS
        sound[at:at + 240] += click
    names = [os.path.join(folder, n) for n in ("film.gray", "film.f32")]
    pictures.tofile(names[0])
    sound.tofile(names[1])
    return names


def make_input(folder, raw, case):
    name, ext, video, audio, late, _ = case
    path = os.path.join(folder, f"{name}.{ext}")
    args = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
    if late < 0:
        args += ["-itsoffset", str(-late)]
    args += ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "64x36", "-r", str(FPS), "-i", raw[0]]
    if late > 0:
        args += ["-itsoffset", str(late)]
    args += ["-f", "f32le", "-ar", str(RATE), "-ac", "1", "-i", raw[1], "-pix_fmt", "yuv420p"]
    r = run(*args, *video.split(), *audio.split(), path)
    return path, (None if r.returncode == 0 else r.stderr.strip())


class Heard:
    """What a file shows and sounds like, decoded; one start each of ffprobe and ffmpeg tells it all."""

    def __init__(self, path):
        r = run("ffprobe", "-v", "error", "-show_entries", "frame=media_type,best_effort_timestamp_time,pts_time,nb_samples:"
                "stream=codec_type,sample_rate", "-of", "json", path)
        found = json.loads(r.stdout or "{}")
        frames = {kind: [f for f in found.get("frames", []) if f["media_type"] == kind] for kind in ("video", "audio")}
        raw = [path + ".light", path + ".sound"]
        run("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, "-map", "0:v:0", "-vsync", "0", "-vf", "scale=1:1:flags=area",
            "-pix_fmt", "gray", "-f", "rawvideo", raw[0], "-map", "0:a:0", "-ac", "1", "-f", "f32le", "-c:a", "pcm_f32le", raw[1])
        light, self.data = np.fromfile(raw[0], np.uint8), np.fromfile(raw[1], np.float32)
        for name in raw:
            os.remove(name)
        self.rate = int(next(s for s in found["streams"] if s["codec_type"] == "audio")["sample_rate"])
        self.pieces = [(float(f["pts_time"]), int(f["nb_samples"])) for f in frames["audio"]]
        times = []
        for f in frames["video"]:
            time = f.get("best_effort_timestamp_time")
            times.append(times[-1] + 1 / FPS if time is None else float(time))
        if len(light) != len(times):
            raise ValueError(f"{len(light)} pictures, {len(times)} times")
        self.flashes = [t for t, l in zip(times, light) if l > 150]

    def samples(self, start, seconds):
        """The sound from a moment on, every decoded frame in its place."""
        out = np.zeros(int(seconds * RATE), np.float32)
        at = 0
        for time, count in self.pieces:
            piece = self.data[at:at + count]
            at += count
            if self.rate != RATE:  # to the common rate, frame by frame
                n = int(round(len(piece) * RATE / self.rate))
                piece = np.interp(np.arange(n) * self.rate / RATE, np.arange(len(piece)), piece)
            first = int(round((time - start) * RATE))
            low, high = max(first, 0), min(first + len(piece), len(out))
            if high > low:
                out[low:high] = piece[low - first:high - first]
        return out


def shift_ms(source, output, cut):
    """How much later the clicks are against the flashes than in the source, in milliseconds."""
    a, b = source.flashes, output.flashes
    if cut:
        a = [t for t in a if t - a[0] >= b[0] - b[0]][-len(b):] if len(b) < len(a) else a
    if len(a) != len(b):
        raise ValueError(f"{len(a)} flashes in, {len(b)} out")
    lead = 0.3  # seconds before the first flash
    x, y = (p.samples(t[0] - lead, 3.2) for p, t in ((source, a), (output, b)))
    if cut:  # what is cut away at the end is not compared
        x = x * (np.arange(len(x)) < (lead + a[-1] - a[0] + 0.1) * RATE)
        y = y * (np.arange(len(y)) < (lead + a[-1] - a[0] + 0.1) * RATE)
        first = int(lead * RATE) - 200
        x[:first] = 0
        y[:first] = 0
    if np.abs(y).max() < 0.1:
        raise ValueError("no clicks")
    n = 1 << int(np.ceil(np.log2(2 * len(x))))
    correlation = np.fft.irfft(np.fft.rfft(y, n) * np.conj(np.fft.rfft(x, n)), n)
    lag = int(np.argmax(correlation))
    lag -= n if lag > n // 2 else 0
    return lag * 1000 / RATE


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--only", default="")
    ap.add_argument("--keep")
    o = ap.parse_args()
    folder = o.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    program = os.path.abspath(o.program)
    raw = write_film(folder)
    skipped = 0
    for case in CASES:
        name, ext, outputs = case[0], case[1], case[5]
        if o.only not in name:
            continue
        source, trouble = make_input(folder, raw, case)
        if trouble:
            print(f"skip {name}: {trouble}")
            skipped += 1
            continue
        heard = Heard(source)
        for text in outputs:
            out_ext, *options = text.split()
            output = os.path.join(folder, f"{name}-out.{out_ext}")
            if "--codec" not in options and "--preset" not in options:
                options += ["--preset", "ultrafast"]
            r = run(program, "upscale", source, output, *options, "--overwrite", "--fresh", "--progress", "none")
            try:
                off = shift_ms(heard, Heard(output), "--start" in options) if r.returncode == 0 else None
                check(off is not None and abs(off) < 1, f"{name}.{ext} -> {text}: " + ("failed" if off is None else f"{off:.2f} ms"), r.stderr.strip())
            except ValueError as problem:
                check(False, f"{name}.{ext} -> {text}", problem)
    if not o.keep:
        shutil.rmtree(folder)
    finish(skipped)


if __name__ == "__main__":
    main()
