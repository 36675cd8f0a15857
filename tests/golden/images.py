#!/usr/bin/env python3
"""Image sequences in and out: numbers, rates, formats, and no half of one under its name.

  images.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import glob, json, os, signal, subprocess, sys, tempfile, time

from checks import check, finish, run


def md5s(path, *options):
    lines = run("ffmpeg", "-v", "error", *options, "-i", path, "-map", "0:v:0", "-pix_fmt", "rgb24", "-f", "framemd5", "-").stdout.splitlines()
    return [line.split()[-1] for line in lines if line and line[0] != "#"]


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)
        numbers = lambda pattern: sorted(os.path.basename(p) for p in glob.glob(at(pattern)))

        def upscale(source, out, *options, status=0):
            r = run(program, "upscale", source, out, "--progress", "none", *options)
            check(r.returncode == status, f"{os.path.basename(source)} to {os.path.basename(out)} {' '.join(options)}: status {status}",
                  f"{r.returncode} {r.stderr}")
            return r.stderr

        run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=48x32:rate=24:duration=1", "-start_number", "95", at("in%03d.png"))
        check(len(numbers("in*.png")) == 24 and numbers("in*.png")[5] == "in100.png", "the sequence is made")

        # In.
        said = upscale(at("in%03d.png"), at("film.mkv"), "--codec", "ffv1")
        check("24 files" in said and "24 frames per second" in said, "the assumed rate is said", said)
        for rate, wanted in ((None, "24/1"), ("25", "25/1"), ("24000/1001", "24000/1001"), ("23.976", "24000/1001")):
            out = at("rate.mp4")
            upscale(at("in%03d.png"), out, "--overwrite", "--fresh", "--preset", "ultrafast", *(["--framerate", rate] if rate else []))
            r = run("ffprobe", "-v", "error", "-show_entries", "stream=r_frame_rate,nb_frames", "-of", "csv=p=0", out)
            check(r.stdout.strip() == wanted + ",24", f"rate {rate}", r.stdout)
            r = run(program, "verify", at("in%03d.png"), out)
            check(r.returncode == 0, f"rate {rate}: verify", r.stdout + r.stderr)
        r = run(program, "probe", at("in%03d.png"), "--json")
        info = json.loads(r.stdout)
        check(info["video"]["frames"] == 24 and info["size"] == sum(os.path.getsize(p) for p in glob.glob(at("in*.png"))), "probe", r.stdout[:300])

        # Out: the input's numbers, or from 1; the same pictures as in a film; nothing else left.
        upscale(at("in%03d.png"), at("out%04d.png"))
        check(numbers("out*") == [f"out{n:04d}.png" for n in range(95, 119)], "numbers of the input", numbers("out*")[:3])
        check(md5s(at("out%04d.png"), "-start_number", "95") == md5s(at("film.mkv")) != [], "the same pictures as in a film")
        check(not numbers(".part*") and not os.path.exists(at("out%04d.png.kizunasr")), "nothing is left beside them")
        r = run(program, "verify", at("in%03d.png"), at("out%04d.png"))
        check(r.returncode == 0 and "24 of 24 frames decode" in r.stdout, "verify", r.stdout + r.stderr)
        said = upscale(at("in%03d.png"), at("out%04d.png"), "--denoise", "0.5", status=2)
        check("exists" in said, "a sequence that exists is refused", said)
        for ext, codec in (("jpg", "mjpeg"), ("tiff", "tiff"), ("webp", "webp"), ("bmp", "bmp"), ("png", "png")):
            upscale(at("film.mkv"), at(f"f%d.{ext}"))
            r = run("ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,pix_fmt", "-of", "csv=p=0", at(f"f24.{ext}"))
            check(len(numbers(f"f*.{ext}")) == 24 and r.stdout.startswith(codec + ",192") and (ext in ("jpg", "webp") or "rgb" in r.stdout or "bgr" in r.stdout),
                  f"{ext}: 24 files from 1", r.stdout)
        upscale(at("in%03d.png"), at("cut%d.png"), "--start", "0.5", "--duration", "0.25")
        check(numbers("cut*") == [f"cut{n}.png" for n in range(107, 113)], "a cut keeps its numbers", numbers("cut*"))
        upscale(at("in100.png"), at("single.png"))
        check(md5s(at("single.png")) == [md5s(at("film.mkv"))[5]], "a single picture")

        # Wrong.
        os.rename(at("in100.png"), at("away.png"))
        said = upscale(at("in%03d.png"), at("no.mkv"), status=3)
        check("in100.png" in said and "missing" in said, "a gap is named", said)
        os.rename(at("away.png"), at("in100.png"))
        upscale(at("none%03d.png"), at("no.mkv"), status=3)
        upscale(at("film.mkv"), at("no.mkv"), "--framerate", "24", status=2)
        upscale(at("in%03d.png"), at("no.mkv"), "--framerate", "fast", status=2)
        upscale(at("in%03d.png"), at("in%03d.png"), status=2)
        check(not glob.glob(at("no.mkv*")), "nothing was written")

        # Stopped: before the end nothing stands under its name, and the same command goes on.
        run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=24:duration=20", "-c:v", "libx264", "-preset", "ultrafast", at("long.mkv"))
        upscale(at("long.mkv"), at("whole%d.png"))
        for delay in (0.1, 0.3, 0.6):
            p = subprocess.Popen([program, "upscale", at("long.mkv"), at("again%d.png"), "--progress", "none"], stderr=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL)
            time.sleep(delay)
            p.send_signal(signal.SIGKILL)
            p.wait()
            stands = len(numbers("again*.png"))
            check(stands == 0 or os.path.exists(at("again%d.png.kizunasr/publishing")) or p.returncode == 0, f"killed after {delay} s: no file yet", stands)
        upscale(at("long.mkv"), at("again%d.png"), "--workers", "2", "--threads", "3")
        # Stopped while renaming: some stand under their names.
        run(program, "plan", at("long.mkv"), at("named%d.png"))
        run(program, "work", at("named%d.png.kizunasr"))
        open(at("named%d.png.kizunasr/publishing"), "w").close()
        open(at("named1.png"), "wb").write(open(at("whole1.png"), "rb").read())
        upscale(at("long.mkv"), at("named%d.png"))
        for name in ("again", "named"):
            same = all(open(at(f"{name}{n}.png"), "rb").read() == open(at(f"whole{n}.png"), "rb").read() for n in range(1, 481))
            check(same and len(numbers(name + "*")) == 480 and not numbers(".part*"), f"{name}: all 480 files, the same bytes")
    finish()


if __name__ == "__main__":
    main()
