#!/usr/bin/env python3
"""Times the whole program against ffmpeg's Lanczos scaler, both sides in turn in one run.

    whole.py FILM [--program build/kizunasr] [--preset NAME]... [--rounds N] [--json FILE]

FILM is upscaled to twice its size with libx264 at crf 18 by `kizunasr upscale` and by
`ffmpeg -vf scale=...:flags=lanczos`: the latter with its own choice of encoder threads, and with as
many as kizunasr uses. Sound is left out. A row is the median of the rounds; speed and memory are
compared with ffmpeg's own choice. Make a film with
`build/tools/ksr-sample --width 1920 --height 1080 --frames 480 film.mkv`, or take one of yours.
"""
import argparse, json, os, platform, re, statistics, subprocess, sys, tempfile, time


def measure(args):
    """Runs a program. Returns wall seconds, processor seconds and peak MiB."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        if process.returncode:
            errors.seek(0)
            sys.exit(f"{' '.join(args)}\n{errors.read().decode(errors='replace')[-2000:]}")
    return {"seconds": seconds, "processor": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss / 1024}


def film_size(path):
    r = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height",
                        "-of", "csv=p=0", path], capture_output=True, text=True, check=True)
    return [int(n) for n in r.stdout.strip().split(",")[:2]]


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return re.search(r"model name\s*: (.*)", file.read()).group(1)
    except (OSError, AttributeError):
        return platform.machine()


def encoder_threads(program, film, folder, preset):
    """How many x264 threads kizunasr plans."""
    out = os.path.join(folder, f"plan-{preset}.mkv")
    subprocess.run([program, "plan", film, out, "--preset", preset, "--progress", "none"], check=True,
                   capture_output=True)
    with open(out + ".kizunasr/manifest.json") as file:
        text = json.dumps(json.load(file))
    found = re.search(r'"threads[": ,]+(\d+)', text) or re.search(r"threads=(\d+)", text)
    return int(found.group(1)) if found else 1


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("film")
    ap.add_argument("--program", default="build/kizunasr")
    ap.add_argument("--preset", action="append")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--json")
    o = ap.parse_args()
    width, height = film_size(o.film)
    result = {"processor": processor(), "processors": len(os.sched_getaffinity(0)), "film": os.path.basename(o.film),
              "width": width, "height": height, "rounds": o.rounds,
              "versions": subprocess.run([o.program, "--version"], capture_output=True, text=True).stdout.split("\n")[:2],
              "presets": {}}
    print(f"{result['processor']}, {result['processors']} processors; {width}x{height} -> {2 * width}x{2 * height}, "
          f"libx264, crf 18; {', '.join(result['versions'])}")
    with tempfile.TemporaryDirectory() as folder:
        for preset in o.preset or ["medium", "ultrafast"]:
            threads = encoder_threads(o.program, o.film, folder, preset)
            out = os.path.join(folder, "out.mkv")
            lanczos = ["ffmpeg", "-v", "error", "-y", "-i", o.film, "-map", "0:v:0", "-vf",
                       f"scale={2 * width}:{2 * height}:flags=lanczos", "-c:v", "libx264", "-crf", "18", "-preset", preset]
            sides = {"ffmpeg": lanczos + [out],
                     f"ffmpeg, {threads} threads": lanczos + ["-threads", str(threads), out],
                     "kizunasr": [o.program, "upscale", o.film, out, "--preset", preset, "--overwrite", "--fresh",
                                  "--progress", "none"]}
            runs = {name: [] for name in sides}
            for _ in range(o.rounds):
                for name, args in sides.items():
                    runs[name].append({**measure(args), "bytes": os.path.getsize(out)})
            result["presets"][preset] = runs
            first = None
            print(f"\n{preset:20} {'seconds':>18} {'processor s':>12} {'MiB':>7} {'MB out':>7} {'speed':>6} {'memory':>7}")
            for name, list_ in runs.items():
                m = {k: statistics.median(r[k] for r in list_) for k in list_[0]}
                first = first or m
                seconds = f"{m['seconds']:.1f} ({min(r['seconds'] for r in list_):.1f}-{max(r['seconds'] for r in list_):.1f})"
                print(f"{name:20} {seconds:>18} {m['processor']:12.1f} {m['mib']:7.0f} {m['bytes'] / 1e6:7.1f} "
                      f"{first['seconds'] / m['seconds']:6.2f} {m['mib'] / first['mib']:7.2f}", flush=True)
    if o.json:
        with open(o.json, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
