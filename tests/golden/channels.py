#!/usr/bin/env python3
"""Sound: does every channel carry what it carried, at the rate and in the layout it had?

A film has a track for every channel layout, in which each channel has a tone of its own. It goes
through the program at every sample rate, copied and encoded anew. What comes out must say the input's
layout and rate, or a warning must name both what it was and what it becomes; and every decoded
channel must have its own tone, with nothing of the others.

  channels.py PROGRAM [--only WORD] [--keep DIR]

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, shutil, struct, subprocess, sys, tempfile

try:
    import numpy as np
except ImportError:
    print("numpy is missing\n0 passed, 0 failed, 1 skipped")
    sys.exit(77)

import clips
from checks import check, finish, run, some

SECONDS = 0.5
# The channels in the order of WAV, and the tones: the low one is within what an LFE channel has.
CHANNELS = ("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR")
TONES = {"FL": 500, "FR": 700, "FC": 900, "LFE": 60, "BL": 1100, "BR": 1300, "BC": 1500, "SL": 1900, "SR": 2300}
LAYOUTS = {"mono": ("FC",), "stereo": ("FL", "FR"), "5.1": ("FL", "FR", "FC", "LFE", "BL", "BR"),
           "5.1(side)": ("FL", "FR", "FC", "LFE", "SL", "SR"), "6.1": ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
           "7.1": ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")}
RATES = (22050, 44100, 48000, 96000)
FEW = ("mono", "stereo")
SIX = (*FEW, "5.1(side)")
ALL = tuple(LAYOUTS)
ANEW = "--audio-passthrough false --audio-codec "

# name, layouts and rates of the input, its container, how its audio is encoded, outputs with options
CASES = [
    ("flac", ALL, RATES, "mkv", "flac", ["mp4", "mkv " + ANEW + "aac", "webm", "avi " + ANEW + "auto"]),
    ("flac", ALL, (22050,), "mkv", "flac", ["mkv", "mkv " + ANEW + "flac", "mp4 " + ANEW + "aac", "ts", "mov"]),
    ("aac", ALL, (22050, 96000), "mp4", "aac -b:a 256k", ["mkv", "mov", "ts"]),
    ("pcm", ALL, (44100, 96000), "mov", "pcm_s24le", ["mov", "mkv", "mp4", "avi"]),
    ("alac", (*FEW, "5.1"), (96000,), "mov", "alac", ["mkv", "mp4", "mkv " + ANEW + "alac"]),
    ("opus", (*FEW, "5.1", "7.1"), (48000,), "webm", "libopus -b:a 256k", ["webm", "mkv", "mp4", "ts", "webm " + ANEW + "libopus"]),
    ("vorbis", (*FEW, "5.1", "6.1", "7.1"), (48000,), "webm", "libvorbis -q:a 6", ["webm", "mkv"]),
    ("vorbis-anew", FEW, (48000,), "mkv", "flac", ["mkv " + ANEW + "libvorbis"]),
    ("ac3", SIX, (44100,), "mkv", "ac3 -b:a 384k", ["mkv", "mp4", "ts", "mkv " + ANEW + "ac3"]),
    ("eac3", SIX, (48000,), "mkv", "eac3 -b:a 384k", ["mkv", "mp4", "mov " + ANEW + "eac3"]),
    ("dts", SIX, (48000,), "mkv", "dca -b:a 1M", ["mkv", "mp4", "ts"]),
    ("truehd", ("stereo", "5.1"), (96000,), "mkv", "truehd", ["mkv", "mp4"]),
    ("mp3", FEW, (22050,), "mkv", "libmp3lame", ["mkv", "mp4", "mkv " + ANEW + "libmp3lame"]),
    ("to-ac3", SIX, (22050, 96000), "mkv", "flac", ["mkv " + ANEW + "ac3"]),
    ("mixed", ("stereo", "5.1", "7.1"), (48000,), "mkv", "flac -c:a:0 libopus -c:a:2 aac", ["webm", "ts", "mov"]),
    ("low", FEW, (32000,), "mkv", "flac", ["mkv " + ANEW + "libopus"]),
]


def write_wav(folder, layout, rate):
    """24-bit PCM with a channel mask, so that nobody has to guess the layout."""
    time = np.arange(int(SECONDS * rate)) / rate
    names = LAYOUTS[layout]
    sound = np.stack([0.3 * np.sin(2 * np.pi * TONES[n] * time) for n in names], 1)
    data = (sound * (1 << 31)).astype("<i4").tobytes()
    packed = np.frombuffer(data, np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    mask = sum(1 << {"FL": 0, "FR": 1, "FC": 2, "LFE": 3, "BL": 4, "BR": 5, "BC": 8, "SL": 9, "SR": 10}[n] for n in names)
    n = len(names)
    form = struct.pack("<HHIIHHHHI", 0xFFFE, n, rate, rate * n * 3, n * 3, 24, 22, 24, mask)
    form += bytes.fromhex("0100000000001000800000aa00389b71")
    return clips.write(folder, f"{layout}-{rate}.wav", b"RIFF" + struct.pack("<I", 60 + len(packed)) + b"WAVEfmt " +
                       struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(packed)) + packed)


def make_input(folder, name, layouts, rate, ext, codec):
    """A film with a track for every layout. Returns its path, or None and what ffmpeg said."""
    picture = "-c:v libvpx -deadline realtime -cpu-used 8" if ext == "webm" else "-c:v libx264 -preset ultrafast"
    path = os.path.join(folder, f"{name}-{rate}.{ext}")
    args = ["-f", "lavfi", "-i", f"testsrc2=size=64x36:rate=24:duration={SECONDS}"]
    for layout in layouts:
        args += ["-i", write_wav(folder, layout, rate)]
    for i in range(len(layouts) + 1):
        args += ["-map", i]
    trouble = clips.ffmpeg(*args, *picture.split(), "-c:a", *codec.split(), "-strict", "-2", path)
    return path, trouble


def tracks(path):
    r = run("ffprobe", "-v", "error", "-select_streams", "a", "-show_entries", "stream=index,codec_name,sample_rate,channels,channel_layout",
            "-of", "json", path)
    return json.loads(r.stdout or "{}").get("streams", [])


def layout_of(track):
    return track.get("channel_layout", "unknown")


def decode(path, found):
    """The samples of every track, as they are."""
    args, files = [], []
    for number in range(len(found)):
        files.append(f"{path}.{number}.f32")
        args += ["-map", f"0:a:{number}", "-c:a", "pcm_f32le", "-f", "f32le", files[-1]]
    run("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, *args)
    return [np.fromfile(f, np.float32) if os.path.exists(f) else np.zeros(0, np.float32) for f in files]


def strength(sound, track):
    """Of every channel of a track, how strong each tone is: {tone: amplitude}, in order."""
    rate, count = int(track["sample_rate"]), track["channels"]
    sound = sound[:len(sound) // count * count].reshape(-1, count)
    middle = len(sound) // 2
    part = sound[max(middle - rate // 8, 0):middle + rate // 8]
    window = np.hanning(len(part))
    waves = np.exp(-2j * np.pi * np.outer(sorted(TONES.values()), np.arange(len(part)) / rate)) * window
    found = 2 * abs(waves @ part) / max(window.sum(), 1)
    return [dict(zip(sorted(TONES.values()), found[:, c])) for c in range(count)]


def tone_trouble(sound, track, layout):
    """None where each channel of a track has its own tone alone, else what is wrong."""
    names = LAYOUTS.get(layout_of(track), LAYOUTS[layout])
    other = {"BL": "SL", "BR": "SR", "SL": "BL", "SR": "BR"}
    had = LAYOUTS[layout]
    found = strength(sound, track)
    if len(found) != len(had):
        return f"{len(found)} channels of {len(had)}"
    for name, tones in zip(names, found):
        wanted = TONES[name if name in had else other.get(name, name)]
        heard = {t for t, a in tones.items() if a > 0.03}  # -20 dB: what lossy encoders add
        if heard != {wanted} or not 0.05 < tones[wanted] < 0.45:  # the LFE of DTS is weak
            return f"{name}: wanted {wanted} Hz, heard " + ", ".join(f"{t} Hz {a:.3f}" for t, a in tones.items() if a > 0.03)
    return None


def check_track(what, said, layout, rate, source, track, sound):
    line = " ".join(l for l in said.splitlines() if f"stream {source['index']}" in l)
    for word, was, now in (("channel layout", layout_of(source), layout_of(track)),
                           ("sample rate", f"{rate} Hz", f"{track['sample_rate']} Hz")):
        unsaid = "unknown" in (was, now) and (was == "unknown" or layout in FEW)
        if was == now or unsaid:
            check(f"{word} (" not in line, f"{what}: the {word} stays, and nothing is said of it", line)
        else:
            check(f"{word} ({was} becomes {now})" in line, f"{what}: the {word} becomes {now}, and a warning says so", line)
    trouble = tone_trouble(sound, track, layout)
    check(not trouble, f"{what}: every channel has its tone", trouble)


def convert(program, source, layouts, rate, name, text):
    """One output of one input."""
    ext, *options = text.split()
    output = os.path.splitext(source)[0] + "-out." + ext
    if ext == "webm":
        options += ["--codec", "libvpx-vp9"]
    r = run(program, "upscale", source, output, "--preset", "ultrafast", *options, "--log-level", "warning", "--overwrite", "--fresh", "--progress", "none")
    what = f"{name} {rate} Hz -> {text}"
    if not check(r.returncode == 0, what, r.stderr):
        return
    found = tracks(output)
    if not check(len(found) == len(layouts), f"{what}: all tracks are there", r.stderr):
        return
    for layout, was, track, sound in zip(layouts, tracks(source), found, decode(output, found)):
        check_track(f"{what}: {layout}", r.stderr, layout, rate, was, track, sound)


def refusals(program, folder):
    """An encoder that has no such layout is refused before the work, and no channels are mixed."""
    source, _ = make_input(folder, "refused", ("stereo", "7.1"), 48000, "mkv", "flac")
    for codec, track, layout in (("alac", 2, "7.1"), ("libmp3lame", 2, "7.1")):
        output = os.path.join(folder, "refused-out.mkv")
        r = run(program, "upscale", source, output, *ANEW.split(), codec, "--progress", "none", "--log-level", "warning")
        line = f"audio_codec: {codec} cannot encode audio stream {track} ({layout}, 48000 Hz, 192000 bit/s): "
        check(r.returncode == 2 and line in r.stderr, f"{codec} does not take {layout}: exit status 2, and why", r.stderr)
        check(not os.path.exists(output) and not os.path.exists(output + ".kizunasr"), f"{codec}: no work is begun")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--only", default="")
    ap.add_argument("--keep")
    o = ap.parse_args()
    folder = o.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    skipped = 0
    for rate, (name, layouts, _, ext, codec, outputs) in some((rate, case) for case in CASES for rate in case[2]):
        if o.only not in f"{name} {rate}":
            continue
        source, trouble = make_input(folder, name, layouts, rate, ext, codec)
        if trouble:
            print(f"skip {name} {rate}: {trouble}")
            skipped += 1
            continue
        made = tracks(source)
        for layout, track, sound in zip(layouts, made, decode(source, made)):
            trouble = tone_trouble(sound, track, layout)
            check(not trouble, f"{name} {rate} Hz: {layout} is made", trouble)
        for text in outputs:
            convert(os.path.abspath(o.program), source, layouts, rate, name, text)
    if o.only in "refusals":
        refusals(os.path.abspath(o.program), folder)
    if not o.keep:
        shutil.rmtree(folder)
    finish(skipped)


if __name__ == "__main__":
    main()
