#!/usr/bin/env python3
"""Audio that is re-encoded: does every good output pass, and does every bad one fail?

Tracks that change their channels or sample rate midway, low and odd rates in every codec and
container, packets without lengths or with wrong ones, audio shorter than a frame of its encoder.
upscale and verify must accept what comes out. Then outputs are altered: what has lost audio, or has
it at another time, must fail.

  sound.py PROGRAM [--only WORD] [--keep DIR]

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, shutil, struct, subprocess, sys, tempfile

import clips
from checks import check, finish, run, some
from jumps import blocks

QUICK = ("--preset", "ultrafast", "--crf", "30", "--workers", "1", "--threads", "1", "--progress", "none",
         "--log-level", "warning", "--overwrite", "--fresh")
ANEW = ("--audio-passthrough", "false")


class Bench:
    """The program, a folder, and what is asked of them."""

    def __init__(self, program, spoil, folder):
        self.program, self.spoil = os.path.abspath(program), spoil and os.path.abspath(spoil)
        self.folder, self.skipped = folder, 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, *args):
        """A file made by ffmpeg; None where this one lacks the encoder."""
        trouble = clips.ffmpeg(*args, self.path(name))
        if trouble:
            print(f"skip {name}: {trouble}")
            self.skipped += 1
        return None if trouble else self.path(name)

    def upscale(self, source, name, *options):
        return run(self.program, "upscale", source, self.path(name), *QUICK, *options)

    def verify(self, source, output, *options):
        return run(self.program, "verify", source, output, *options)

    def good(self, what, source, name, *options):
        """upscale and verify both accept. Returns what upscale said, or None."""
        r = self.upscale(source, name, *options)
        if not check(r.returncode == 0, f"{what}: upscale", f"exit {r.returncode}: {r.stderr.strip()}"):
            return None
        v = self.verify(source, self.path(name))
        failed = [l for l in v.stdout.splitlines() if l.startswith("FAIL")]
        check(v.returncode == 0, f"{what}: verify", f"exit {v.returncode}: {failed or v.stderr.strip()}")
        return r.stderr


def picture(seconds, rate=10, size="64x48"):
    return ("-f", "lavfi", "-i", f"testsrc2=s={size}:d={seconds}:r={rate}")


def noise(seconds, rate=48000):
    return ("-f", "lavfi", "-i", f"anoisesrc=d={seconds}:r={rate}:a=0.3:seed=7")


# --- Tracks that change midway ---

# name, options of the first half and of the second
CHANGES = [("stereo-mono", "-ac 2 -c:a mp2", "-ac 1 -c:a mp2"), ("mono-stereo", "-ac 1 -c:a mp2", "-ac 2 -c:a mp2"),
           ("5.1-stereo", "-ac 6 -c:a ac3", "-ac 2 -c:a ac3"), ("rate", "-ar 48000 -c:a mp2", "-ar 44100 -c:a mp2"),
           ("all", "-ac 1 -ar 32000 -c:a ac3", "-ac 6 -ar 48000 -c:a ac3")]


def changes(bench):
    for name, first, second in CHANGES:
        parts = []
        for number, options in enumerate((first, second)):
            parts.append(bench.make(f"{name}{number}.ts", *picture(1.2), *noise(1.2), *options.split(), "-c:v", "mpeg2video",
                                    "-bf", "0", "-output_ts_offset", number * 1.2))
        if None in parts:
            continue
        source = bench.path(name + ".ts")
        clips.write(bench.folder, name + ".ts", b"".join(open(p, "rb").read() for p in parts))
        bench.good(f"{name} midway, re-encoded", source, name + ".mkv", *ANEW)
        if name == "stereo-mono":
            bench.good(f"{name} midway, copied", source, name + "-copy.ts")
            page = run(bench.program, "report", source, bench.path(name + ".mkv"), "-o", bench.path("page.html"))
            check(page.returncode == 0, f"{name} midway: report", page.stderr)
            page = run(bench.program, "preview", source, "-o", bench.path("preview"), *ANEW, "--progress", "none")
            check(page.returncode == 0, f"{name} midway: preview", page.stderr)


# --- Rates, codecs, containers ---

# rate of the input, audio encoder, container
RATES = [(8000, "aac", "mkv"), (8000, "aac", "mp4"), (8000, "libmp3lame", "mov"), (8000, "ac3", "mkv"), (8000, "libopus", "webm"),
         (8000, "pcm_s16le", "avi"), (11025, "aac", "ts"), (12000, "aac", "mkv"), (16000, "libopus", "mkv"), (22050, "mp2", "mkv"),
         (22050, "libvorbis", "webm"), (32000, "mp2", "ts"), (44100, "ac3", "mp4"), (96000, "aac", "mov"), (96000, "flac", "mkv")]
VIDEO = {"webm": ("--codec", "libvpx", "--preset", "medium"), "avi": ("--codec", "ffv1", "--preset", "medium", "--crf", "18")}


def rates(bench):
    for rate, codec, ext in RATES:
        source = bench.path(f"{rate}.mkv")
        if not os.path.exists(source):
            clips.need(clips.ffmpeg(*picture(1.3), *noise(1.3, rate), "-c:v", "mpeg4", "-c:a", "pcm_s16le", source))
        bench.good(f"{rate} Hz, {codec} in {ext}", source, f"rates.{ext}", *ANEW, "--audio-codec", codec, "--audio-bitrate", "64k",
                   *VIDEO.get(ext, ()))


# --- Inputs with odd lengths and times ---

AAC, PCM = "-c:a aac", "-c:a pcm_s16le"
# name, seconds of audio, its rate, how it is written
SICK = [("lengths unknown, one rate", "asf", 2, 44100, "-c:a wmav2 -b:a 64k"), ("lengths unknown, low rate", "asf", 2, 16000, "-c:a wmav1 -b:a 32k"),
        ("lengths five times too large", "mkv", 2, 48000, AAC + " -bsf:a setts=duration=DURATION*5"),
        ("lengths of a tick", "mkv", 2, 8000, PCM + " -bsf:a setts=duration=1"),
        ("eight frames in a packet", "mkv", 2, 16000, "-c:a libspeex -frames_per_packet 8"),
        ("packets of a second", "mkv", 3, 48000, "-af asetnsamples=48000:p=0 " + PCM),
        ("long frames", "mkv", 3, 48000, "-c:a flac -frame_size 65535"),
        ("shorter than a frame of the encoder", "mkv", 0.01, 8000, PCM), ("ends early", "mkv", 0.7, 8000, PCM),
        ("packets missing", "mkv", 2, 48000, AAC + " -bsf:a noise=amount=0:drop=eq(mod(n\\,20)\\,7)"),
        ("packets damaged", "mkv", 2, 48000, AAC + " -bsf:a noise=200"),
        ("times that crawl", "mkv", 2, 48000, AAC + " -bsf:a setts=ts=TS*1.2")]


def sick(bench):
    for name, ext, seconds, rate, options in SICK:
        video = "wmv2" if ext == "asf" else "mjpeg"
        source = bench.make("sick." + ext, *picture(2), *noise(seconds, rate), "-c:v", video, *options.split())
        if source:
            bench.good(name + ", re-encoded", source, "sick-out.mkv", *ANEW)
    for name, late in (("starts late", 0.73), ("starts before the video", -0.5)):
        offsets = [("-itsoffset", "0.73"), ()] if late > 0 else [(), ("-itsoffset", "0.5")]
        source = bench.make("sick.mkv", *offsets[1], *picture(1.2), *offsets[0], *noise(1, 8000), "-c:v", "mjpeg", *PCM.split())
        bench.good(name + ", re-encoded", source, "sick-out.mp4", *ANEW)
    edited = bench.make("whole.mp4", *picture(2), *noise(2), "-c:v", "mpeg4", *AAC.split())
    edited = bench.make("edited.mp4", "-ss", "0.7", "-i", edited, "-c", "copy")
    bench.good("packets that an edit list discards, copied", edited, "edited.mkv")
    bench.good("packets that an edit list discards, re-encoded", edited, "edited.mkv", *ANEW)


# --- What must fail ---

DAMAGE = [("a packet of audio is missing", "-c copy -bsf:a noise=amount=0:drop=eq(n\\,30)", " ms in between"),
          ("the first packets are missing", "-c copy -bsf:a noise=amount=0:drop=lt(n\\,3)", "start off by"),
          ("the last packets are missing", "-c copy -bsf:a noise=amount=0:drop=gt(n\\,90)", "end by"),
          ("audio is 40 ms late", "-c copy -bsf:a setts=ts=TS+40", "start off by"),
          ("audio is 3 ms late", "-c:v copy -c:a aac -af adelay=3:all=1", "late"),
          ("audio is of something else", "-c:v copy -c:a aac -af areverse", "not the sound of the input")]


def sample_sizes(bench):
    """G.726 of 2 bits at 22.05 kHz: Matroska keeps a bit rate that is rounded to 1, which nothing decodes."""
    source = bench.make("g726.mov", *picture(2), "-f", "lavfi", "-i", "sine=d=2:r=22050", "-c:v", "mjpeg", "-c:a", "g726",
                        "-strict", "-2", "-code_size", "2")
    if not source or bench.good("G.726 of 2 bits", source, "g726.mkv") is None:
        return
    sizes = [len(subprocess.run(("ffmpeg", "-v", "error", "-i", f, "-map", "0:a", "-f", "s16le", "-"), capture_output=True).stdout)
             for f in (source, bench.path("g726.mkv"))]
    check(sizes[0] > 40000 and sizes[1] >= sizes[0], "G.726 of 2 bits: the audio decodes", str(sizes))


def losses(bench):
    source = bench.make("source.mkv", *picture(2), *noise(2), "-c:v", "mjpeg", *PCM.split())
    record = bench.path("record.json")
    said = bench.good("before it is damaged", source, "whole.mkv", *ANEW, "--provenance", record)
    if said is None:
        return
    for name, options, words in DAMAGE:
        output = bench.path("damaged.mkv")
        clips.need(clips.ffmpeg("-copyts", "-i", bench.path("whole.mkv"), *options.split(), "-avoid_negative_ts", "disabled", output))
        v = bench.verify(source, output, "--provenance", record)
        line = next((l for l in v.stdout.splitlines() if l.startswith("FAIL audio stream 1")), "")
        check(v.returncode == 6 and words in line, name + ": verify fails", v.stdout)


# --- Subtitles whose times fall ---

def texts(bench):
    """They are moved and a warning says so, however far behind the trial they are."""
    lines = "".join(f"{i + 1}\n00:00:{i // 5:02d},{i % 5 * 200:03d} --> 00:00:{i // 5:02d},{i % 5 * 200 + 150:03d}\nline {i}\n\n" for i in range(80))
    srt = clips.write(bench.folder, "many.srt", lines)
    whole = bench.make("many.mkv", *picture(16, 2), "-i", srt, "-c:v", "mjpeg", "-c:s", "srt")
    data = open(whole, "rb").read()
    places = [place for track, place in blocks(data) if track == 2]
    for number, ext in ((5, "mkv"), (75, "mkv"), (75, "mp4")):
        changed = bytearray(data)
        at = places[number]
        changed[at:at + 2] = struct.pack(">h", struct.unpack(">h", changed[at:at + 2])[0] - 450)
        source = clips.write(bench.folder, "falls.mkv", bytes(changed))
        said = bench.good(f"subtitle {number} falls back in time, to {ext}", source, "falls-out." + ext)
        check("1 packets with non-monotonic timestamps were moved" in (said or ""), f"subtitle {number}, to {ext}: a warning", said)


# --- Accepting ---

def accept(bench):
    """A file that fails its check is kept, and join --accept puts it in place."""
    source = bench.make("accept.mkv", *picture(1), *noise(1), "-c:v", "mjpeg", *PCM.split())
    output = bench.path("it's kept.mkv")
    folder, part = output + ".kizunasr", output + ".part"

    def spoiled():
        for args in (("plan", source, output, "--preset", "ultrafast"), ("work", folder)):
            r = run(bench.program, *args, "--progress", "none", "--log-level", "error")
            check(r.returncode == 0, f"accept: {args[0]}", r.stderr)
        check(run(bench.spoil, folder).returncode == 0, "accept: the plan expects something else")

    def join(*options):
        return run(bench.program, "join", folder, *options, "--progress", "none", "--log-level", "warning")

    spoiled()
    r = join()
    lines = r.stderr.strip().splitlines()
    check(r.returncode == 6 and len(lines) == 1, "accept: exit status 6, one line", r.stderr)
    check(f"verification failed: size: 128x96 from 192x48; the finished file is kept as {part}" in r.stderr, "accept: it says what failed and where the file is", r.stderr)
    check(os.path.exists(part) and os.path.exists(folder + "/000000.seg") and not os.path.exists(output), "accept: file and segments are kept")
    kept = open(part, "rb").read() if os.path.exists(part) else b""
    again = join()
    check(again.returncode == 6 and again.stderr == r.stderr, "accept: join says the same again", again.stderr)
    record = bench.path("accepted.json")
    typed = r.stderr.partition(", and kizunasr ")[2].partition(" puts it")[0]
    done = subprocess.run(["sh", "-c", f"'{bench.program}' {typed} --provenance '{record}' --progress none"], capture_output=True, text=True)
    check(done.returncode == 0 and "accepted although verification failed" in done.stdout, "accept: what it says to type puts the file in place", done.stdout + done.stderr)
    check("warning: verification failed, output accepted (--accept): size: 128x96 from 192x48" in done.stderr, "accept: a warning says what failed", done.stderr)
    check(os.path.exists(output) and open(output, "rb").read() == kept, "accept: it is the file that was kept")
    check(not os.path.exists(part) and not os.path.exists(folder), "accept: nothing else is left")
    check(json.load(open(record)).get("accepted") == "size: 128x96 from 192x48", "accept: the record has it")
    v = bench.verify(source, output, "--provenance", record)
    check("accepted though its verification failed: size" in v.stderr, "accept: verify tells of it", v.stderr)
    os.remove(output)
    spoiled()
    join()
    clips.write(bench.folder, os.path.basename(output), "another file")
    r = join("--accept")
    check(r.returncode == 2 and os.path.exists(part) and open(output).read() == "another file", "accept: another file is not replaced", r.stderr)
    good = bench.upscale(source, "good.mkv", "--accept", "--provenance", record)
    check(good.returncode == 0 and "verified" in good.stdout and "accepted" not in json.load(open(record)), "accept: changes nothing where the check passes", good.stdout)


# --- Descriptions that hold for all of a track ---

# name, options of the first half and of the second
AAC_CHANGES = [("channels", "-ac 2 -c:a aac", "-ac 1 -c:a aac"), ("rate", "-ac 1 -c:a aac", "-ac 1 -ar 32000 -c:a aac"),
               ("6 channels", "-ac 1 -c:a aac", "-ac 6 -c:a aac -b:a 384k")]


def described(bench):
    """AAC in a transport stream says in every packet what it is; other containers say it once, so that a
    copy of what changes would be noise."""
    for name, first, second in some(AAC_CHANGES):
        parts = [open(bench.make(f"aac{n}.ts", *picture(1), *noise(1), *options.split(), "-c:v", "mpeg2video", "-r", "25", "-bf", "0",
                                 "-output_ts_offset", n), "rb").read() for n, options in enumerate((first, second))]
        source = clips.write(bench.folder, "aac.ts", b"".join(parts))
        for ext in ("mkv", "mp4", "ts"):
            said = bench.good(f"AAC of other {name} midway, to {ext}", source, "aac-out." + ext, "--log-level", "warning") or ""
            again = "changes its channels or sample rate, which this container cannot hold: it is re-encoded with aac"
            check((again in said) == (ext != "ts"), f"AAC of other {name} midway, to {ext}: re-encoded only where it must be", said)
            r = run("ffmpeg", "-v", "error", "-i", bench.path("aac-out." + ext), "-map", "0:a", "-f", "null", "-")
            check("Error" not in r.stderr and "exceeds" not in r.stderr, f"AAC of other {name} midway, to {ext}: all of it decodes", r.stderr)
    wrong = bench.make("wrong.mkv", "-copyts", "-i", source, "-c", "copy", "-avoid_negative_ts", "disabled")
    v = bench.verify(source, wrong)
    check(v.returncode == 6 and "FAIL audio stream 1" in v.stdout, "AAC that changes, copied by another program: verify fails", v.stdout)


def still(bench):
    """Times that stand still tell nothing: RealMedia by FFmpeg has 0 for all packets."""
    source = bench.make("still.rm", *picture(1, 10, "176x144"), *noise(2, 8000), "-c:v", "rv10", "-c:a", "real_144")
    if source and bench.good("times that stand still, re-encoded", source, "still.mkv", *ANEW) is not None:
        r = run("ffprobe", "-v", "error", "-select_streams", "a", "-show_entries", "packet=pts_time", "-of", "csv=p=0", bench.path("still.mkv"))
        times = [float(t.strip(",")) for t in r.stdout.split()]
        check(len(times) > 12 and times[-1] > 1.5, "times that stand still: all of the audio is there", times)


PARTS = {"described": described, "still": still, "changes": changes, "rates": rates, "sick": sick, "sizes": sample_sizes, "losses": losses, "texts": texts, "accept": accept}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--spoil", help="the program that spoils a plan")
    ap.add_argument("--only", default="")
    ap.add_argument("--keep")
    o = ap.parse_args()
    folder = o.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    bench = Bench(o.program, o.spoil, folder)
    for name, part in PARTS.items():
        if o.only in name and (o.spoil or name != "accept"):
            part(bench)
    if not o.keep:
        shutil.rmtree(folder)
    finish(bench.skipped)


if __name__ == "__main__":
    main()
