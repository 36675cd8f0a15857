#!/usr/bin/env python3
"""The build for Windows, in Wine: the bytes must be those that this machine's own program makes.

    windows.py PROGRAM SAMPLE_PROGRAM SOURCE_ROOT

Takes the build of tools/windows, brought up to date; skipped where it was not made, or Wine is missing. Shown are
every stage and network against the recorded digests, a part of checkasm, whole upscales, names outside of the
console's code page, paths with backslashes, locks, a run that is stopped and resumed, a job shared with Linux,
and the zip of packaging/windows.

Ends with `N passed, N failed, N skipped`.
"""
import glob, hashlib, os, shutil, signal, subprocess, sys, tempfile, time

from checks import check, finish, run

RUNS = {
    "x264, default settings": ["--codec", "libx264"],
    "FFV1, all stages": ["--codec", "ffv1", "--structure-smoothing", "0.5", "--sharpening", "1", "--line-darkening", "0.5",
                         "--contrast-boost", "1.1", "--saturation-boost", "1.1", "--temporal"],
    "x264, AI mode": ["--codec", "libx264", "--use-ai", "--ai-model", "anime-fast"],
}


class Windows:
    """The build, and Wine around it."""

    def __init__(self, root):
        self.build = os.path.join(root, "build-windows")
        libraries = os.path.join(root, "build-windows-libraries/root")
        self.environment = {**os.environ, "WINEDEBUG": "-all", "WINEPREFIX": libraries + "/wine",
                            "WINEPATH": f"Z:{libraries}/bin;Z:{self.build}/src",
                            "KIZUNASR_MODELS": os.path.join(root, "models"), "KIZUNASR_DEVICE": "cpu"}

    def command(self, name, *args):
        return ["wine", os.path.join(self.build, name), *args]

    def run(self, name, *args):
        return run(*self.command(name, *args), env=self.environment)

    def upscale_args(self, video, output, *options):
        return ["upscale", video, output, "--progress", "none", "--threads", "2", "--workers", "1", *options]

    def upscale(self, video, output, *options):
        return self.run("kizunasr.exe", *self.upscale_args(video, output, *options))


def digest(path):
    if not os.path.exists(path):
        return "no file"
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def backslashes(path):
    return "Z:" + path.replace("/", "\\")


def check_bytes(windows, program, video, folder):
    """Whole upscales, against this machine's program."""
    here, there = os.path.join(folder, "here.mkv"), os.path.join(folder, "there.mkv")
    for name, options in RUNS.items():
        r = run(program, "upscale", video, here, "--progress", "none", "--overwrite", "--device", "cpu", *options)
        check(r.returncode == 0, f"{name}: this machine's program", r.stderr)
        r = windows.upscale(video, there, "--overwrite", *options)
        check(r.returncode == 0 and "verified" in r.stdout, f"{name}: done and verified", r.stdout + r.stderr)
        check(digest(there) == digest(here), f"{name}: the same bytes", "other bytes")
    return digest(here), options


def listed(folder, path):
    """A list of one input, with a whole path of Windows and its ends of lines."""
    name = os.path.join(folder, "list.txt")
    with open(name, "w", encoding="utf-8", newline="") as file:
        file.write(backslashes(path) + "\r\n")
    return name


def check_library(windows, source, folder):
    """Paths with backslashes that no command line has turned."""
    output = os.path.join(folder, "library.mkv")
    r = windows.run("examples/example-upscale.exe", backslashes(source), backslashes(output))
    check(r.returncode == 0 and os.path.exists(output), "the library takes paths with backslashes", r.stdout + r.stderr)
    check(not os.path.exists(output + ".kizunasr"), "and leaves no folder behind")


def check_names(windows, video, folder, expected, options):
    """Names of files: outside of any code page, with backslashes, as patterns, long."""
    odd = os.path.join(folder, "Ö 動画 ☆")
    os.mkdir(odd)
    source = os.path.join(odd, "első – 第1話.mkv")
    shutil.copy(video, source)
    r = windows.upscale(source, os.path.join(odd, "2×.mkv"), *options)
    check(digest(os.path.join(odd, "2×.mkv")) == expected, "names in Unicode", r.stdout + r.stderr)
    r = windows.upscale(backslashes(source), backslashes(os.path.join(odd, "back.mkv")), *options)
    check(digest(os.path.join(odd, "back.mkv")) == expected, "paths with backslashes", r.stdout + r.stderr)
    whole = "\\\\?\\" + backslashes(source)
    r = windows.upscale(whole, "\\\\?\\" + backslashes(os.path.join(odd, "whole.mkv")), *options)
    check(digest(os.path.join(odd, "whole.mkv")) == expected, "paths with the prefix of long ones", r.stdout + r.stderr)
    r = windows.upscale(source, os.path.join(odd, "no.mkv"), "--codec", "no\\codec")
    check(r.returncode == 2 and "'no\\codec'" in r.stderr, "what is no path stays", r.stdout + r.stderr)
    check_library(windows, source, odd)
    long = os.path.join(folder, *(100 * letter for letter in "abc"))
    os.makedirs(long)
    r = windows.upscale(source, os.path.join(long, "x.mkv"), *options)
    check(digest(os.path.join(long, "x.mkv")) == expected, "a path of more than 260 characters", r.stdout + r.stderr)
    for name, inputs in {"a pattern": [backslashes(odd) + "\\első*.mkv"], "a list": ["--list", listed(folder, source)]}.items():
        out = os.path.join(odd, name)
        r = windows.run("kizunasr.exe", "batch", *inputs, "--output-dir", backslashes(out), "--progress", "none", *options)
        made = os.listdir(out) if os.path.isdir(out) else []
        check(r.returncode == 0 and os.path.basename(source) in made, f"batch with {name}", r.stdout + r.stderr)
    r = windows.upscale(os.path.join(folder, "missing é.mkv"), os.path.join(folder, "y.mkv"))
    check(r.returncode == 3 and "missing é.mkv" in r.stderr, "a message in Unicode", r.stderr)


def until_segment(process, output, number):
    """Waits until a segment of a run is there."""
    end, path = time.monotonic() + 60, f"{output}.kizunasr/{number:06}.seg"
    while time.monotonic() < end and process.poll() is None and not os.path.exists(path):
        time.sleep(0.002)


def check_stops(windows, program, folder, sample):
    """A run that is stopped is resumed; while it goes on, no other one takes its folder."""
    video, here = os.path.join(folder, "segments.mkv"), os.path.join(folder, "whole.mkv")
    output = os.path.join(folder, "stopped.mkv")
    run(sample, "--width", "96", "--height", "54", "--frames", "300", "--fps", "12/1", "--gop", "20", video)
    r = run(program, "upscale", video, here, "--progress", "none", "--device", "cpu")
    check(r.returncode == 0, "a video of several segments", r.stderr)
    command = windows.command("kizunasr.exe", *windows.upscale_args(video, output))
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "env": windows.environment}
    with subprocess.Popen(command, **streams) as first:
        until_segment(first, output, 0)
        first.send_signal(signal.SIGSTOP)
        second = run(*command, env=windows.environment)
        first.send_signal(signal.SIGCONT)
        first.send_signal(signal.SIGINT)  # which Wine hands on as Ctrl-C
        said = first.communicate()[1]
    check("another run" in second.stderr, "a second run is refused", second.stdout + second.stderr)
    check(first.returncode == 130 and "resume" in said, "Ctrl-C gives 130 and says how to resume", f"{first.returncode} {said}")
    with subprocess.Popen(command, **streams) as first:
        until_segment(first, output, 1)
        first.kill()
        first.communicate()
    r = windows.upscale(video, output)
    check(r.returncode == 0 and digest(output) == digest(here), "a killed run is resumed: the same bytes", r.stdout + r.stderr)
    check(not os.path.exists(output + ".kizunasr"), "and nothing is left behind")
    return video, digest(here)


def check_shared(windows, program, folder, video, expected):
    """A job that both systems work on, with turns."""
    output = os.path.join(folder, "shared.mkv")
    work = output + ".kizunasr"
    said = [run(program, "plan", video, output, "--progress", "none"),
            windows.run("kizunasr.exe", "work", work, "--segment", "1", "--progress", "none"),
            run(program, "work", work, "--progress", "none", "--device", "cpu"),
            windows.run("kizunasr.exe", "join", work, "--progress", "none")]
    check(digest(output) == expected and "1 of 4" in said[1].stderr, "a job shared with Linux: the same bytes",
          [r.stderr for r in said])


def check_zip(windows, root, folder, video, expected, options):
    """The folder of the zip runs by itself, wherever it stands."""
    r = run(os.path.join(root, "packaging/windows"), windows.build)
    archives = glob.glob(windows.build + "/kizunasr-*.zip")
    if not check(r.returncode == 0 and len(archives) == 1, "a zip is made", r.stdout + r.stderr):
        return
    place, output = os.path.join(folder, "où ça"), os.path.join(folder, "unpacked.mkv")
    shutil.unpack_archive(archives[0], place)
    name = os.path.basename(archives[0])[:-len(".zip")]
    licences = os.listdir(f"{place}/{name}/share/doc/licences")
    check(os.path.exists(f"{place}/{name}/share/doc/manual.md"), "it has the manual")
    check({"ffmpeg", "x264", "zlib", "mingw-w64", "kizunasr", "GPL-2"} <= set(licences), "it has licences", licences)
    alone = {k: v for k, v in windows.environment.items() if k not in ("WINEPATH", "KIZUNASR_MODELS")}
    r = run("wine", f"{place}/{name}/bin/kizunasr.exe", *windows.upscale_args(video, output, *options), env=alone)
    check(digest(output) == expected, "it runs alone: the same bytes", r.stdout + r.stderr)


def main():
    program, sample, root = map(os.path.abspath, sys.argv[1:4])
    windows = Windows(root)
    if not os.path.exists(os.path.join(windows.build, "build.ninja")) or not shutil.which("wine"):
        print("no build-windows (tools/windows makes it) or no wine here\n0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    r = run("meson", "compile", "-C", windows.build)
    check(r.returncode == 0, "build-windows is up to date", r.stdout[-2000:])
    r = windows.run("tests/golden/stages.exe", os.path.join(root, "tests/golden/stages.txt"))
    check(": 0 differ" in r.stdout, "stages and networks make what is recorded", r.stdout + r.stderr)
    r = windows.run("tests/checkasm/checkasm.exe", "--every=7")
    check(" 0 failed" in r.stdout, "each SIMD level equals plain C", r.stdout + r.stderr)
    with tempfile.TemporaryDirectory() as folder:
        video = os.path.join(folder, "video.mkv")
        r = run(sample, "--width", "96", "--height", "54", "--frames", "12", "--vcodec", "ffv1", video)
        check(r.returncode == 0, "a video is drawn", r.stderr)
        expected, options = check_bytes(windows, program, video, folder)
        check_names(windows, video, folder, expected, options)
        check_zip(windows, root, folder, video, expected, options)
        segments, expected = check_stops(windows, program, folder, sample)
        check_shared(windows, program, folder, segments, expected)
    finish()


main()
