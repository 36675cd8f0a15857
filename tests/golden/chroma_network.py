#!/usr/bin/env python3
"""--ai-chroma: a network enlarges chroma where it can, says so where it cannot, and every way gives the same bytes.

  chroma_network.py PROGRAM SAMPLE

Ends with `N passed, N failed, N skipped`.
"""
import hashlib, json, math, os, shutil, struct, subprocess, sys, tempfile

import clips
from checks import EVERY, check, finish, run, some

WIDTH, HEIGHT = 320, 180  # of the source
NETWORK = "anime-chroma"
FAST = ("--use-ai", "--ai-model", "anime-fast")
BEST = ("--use-ai", "--ai-model", "anime-best", "--ai-variant", "general")
WITH = ("--ai-chroma", NETWORK)
LEFT = "-pix_fmt yuv420p -chroma_sample_location left"
# What the source is instead of 4:2:0 sited left.
OTHERS = [("444", "-pix_fmt yuv444p"), ("422", "-pix_fmt yuv422p -chroma_sample_location left"), ("411", "-pix_fmt yuv411p"),
          ("centred", "-pix_fmt yuv420p -chroma_sample_location center"), ("top-left", "-pix_fmt yuv420p -chroma_sample_location topleft"),
          ("grey", "-pix_fmt gray"), ("rgb", "-c:v ffv1 -pix_fmt gbrp")]
NOT_420 = "filters (the source is not 4:2:0 sited left)"
# Display matrices, and what it is with them: mirrored chroma is put where it was sited.
UPRIGHT = (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
TURNS = {"90": ((0, 65536, 0, -65536, 0, 0, HEIGHT << 16, 0, 1 << 30), NOT_420), "180": ((-65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30), NETWORK)}


def planes(path, frames=1):
    """Luma and chroma of the first frames, 8 bits."""
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-frames:v", str(frames), "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
                         stdout=subprocess.PIPE, check=True).stdout
    luma = 4 * WIDTH * HEIGHT
    return raw[:luma], raw[luma : luma * 3 // 2]


def psnr(a, b):
    return 10 * math.log10(255 * 255 * len(a) / max(1, sum((x - y) ** 2 for x, y in zip(a, b))))


def main():
    program, sample = map(os.path.abspath, sys.argv[1:3])
    skipped = 0
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)

        def upscale(source, name, *options, **more):
            return run(program, "upscale", source, at(name), "--codec", "ffv1", "--progress", "none", "--overwrite", *options, **more)

        def digest(name):
            with open(at(name), "rb") as f:
                return hashlib.sha256(f.read()).hexdigest()

        def planned(source, *options, **more):
            r = run(program, "upscale", source, at("x.mkv"), "--dry-run", "--json", *options, **more)
            return json.loads(r.stdout) if r.returncode == 0 else {}, r

        def says(source, text, what, *options, **more):
            plan, r = planned(source, *options, **more)
            lines = [line for line in r.stderr.splitlines() if line.startswith("kizunasr: chroma: ")]
            check(plan.get("ai_chroma") == text and lines == ([f"kizunasr: chroma: {text}"] if text else []), what, (r.returncode, r.stdout + r.stderr))

        r = run(sample, "--width", str(2 * WIDTH), "--height", str(2 * HEIGHT), "--frames", "4", "--no-audio", "--no-title", "--vcodec", "ffv1",
                "--pixel-format", "yuv420p", "--gop", "2", at("drawn.mkv"))
        clips.need(r.stderr if r.returncode else None)

        def reduced(name, options, size=f"{WIDTH}:{HEIGHT}"):
            codec = [] if "-c:v" in options else ["-c:v", "ffv1"]
            clips.need(clips.ffmpeg("-i", at("drawn.mkv"), "-vf", f"scale={size}:flags=area+accurate_rnd", *codec, "-g", "2", *options.split(),
                                    "-threads", "1", "-bitexact", at(name + ".mkv")))
            return at(name + ".mkv")

        source = reduced("left", LEFT)

        # Which network, and what is said.
        says(source, NETWORK, "anime-best: with a network", *BEST)
        says(source, None, "anime-fast: with filters", *FAST)
        says(source, None, "filters alone")
        says(source, None, "off", *BEST, "--ai-chroma", "off")
        says(source, NETWORK, "a network that is named, beside any other", *FAST, *WITH)
        says(source, NETWORK, "4x: in the first pass", *BEST, "--ai-scale", "4")
        says(source, "filters (descaled)", "a drawing has chroma as large as luma", *BEST, "--descale", "214x120:bicubic")
        for name, options in some(OTHERS):
            says(reduced(name, options), NOT_420, name, *FAST, *WITH)
        says(reduced("high", "-pix_fmt yuv420p10le -chroma_sample_location left"), NETWORK, "10 bits", *FAST, *WITH)
        clips.need(clips.ffmpeg("-i", source, "-c:v", "libx264", "-qp", "0", at("plain.mp4")))
        for name, (matrix, made) in some(list(TURNS.items())):
            with open(at("plain.mp4"), "rb") as f:
                movie, track = f.read().split(b"tkhd", 1)  # each has a matrix
            track = track.replace(struct.pack(">9i", *UPRIGHT), struct.pack(">9i", *matrix), 1)
            turned = clips.write(folder, name + ".mp4", movie + b"tkhd" + track)
            says(turned, NETWORK, f"turned by {name} for display alone", *FAST, *WITH)
            says(turned, made, f"turned by {name}", *FAST, *WITH, "--rotate", "apply")
        text = run(program, "upscale", source, at("x.mkv"), "--dry-run", *BEST).stdout
        check(f"  chroma    {NETWORK}\n" in text, "a dry run says so", text)
        shown = run(program, "models", "anime-best").stdout
        check(f"chroma of 4:2:0: {NETWORK}, unless --ai-chroma off is given\n" in shown, "the card names it", shown)
        card = json.loads(run(program, "models", NETWORK, "--json").stdout)["models"][0]
        check((card["enlarges"], card["channels"], card["multiplications"]) == ("chroma", 2, 10224), "what it is", card)
        check(f"{NETWORK}: built-in engine, 2x, chroma, " in run(program, "models", NETWORK).stdout, "and in words")

        others = run(program, "models").stdout
        check("anime-fast.onnx" in others and f"{NETWORK}.onnx" not in others, "its .onnx form is not for jobs", others)

        # What it makes.
        auto = upscale(source, "auto.mkv", *FAST, *WITH, "--provenance", at("auto.json"))
        off = upscale(source, "off.mkv", *FAST)
        check(auto.returncode == 0 == off.returncode, "both are made", auto.stderr + off.stderr)
        luma, chroma = planes(at("auto.mkv"))
        others = planes(at("off.mkv"))
        check(luma == others[0] and chroma != others[1], "luma is the same, chroma is not")
        true = planes(at("drawn.mkv"))[1]
        better = psnr(chroma, true) - psnr(others[1], true)
        check(better > 1, f"chroma is nearer to the drawing's by {better:.2f} dB")
        guided = upscale(source, "guided.mkv", *FAST, *WITH, "--guided-chroma", "1")
        check(guided.returncode == 0 and planes(at("guided.mkv")) == (luma, chroma), "it takes the place of guided chroma", guided.stderr)
        r = upscale(reduced("444", "-pix_fmt yuv444p"), "444-out.mkv", *FAST, *WITH)
        check(r.returncode == 0, "where it cannot work, the job is done", r.stderr)
        r = upscale(reduced("odd", LEFT, "237:131"), "odd-out.mkv", *FAST, *WITH)
        check(r.returncode == 0, "an odd size", r.stderr)

        # All ways give the same bytes.
        for what, options in (("one thread", ("--threads", "1")), ("its file", ())):
            files = ("--ai-chroma", os.path.join(json.loads(run(program, "models", "--json").stdout)["folder"], NETWORK + ".ksrnet"))
            r = upscale(source, "same.mkv", *FAST, *(files if what == "its file" else WITH), *options)
            check(r.returncode == 0 and digest("same.mkv") == digest("auto.mkv"), what, r.stderr)
        with open(at("auto.json")) as f:
            record = json.load(f)
        card = json.loads(run(program, "models", NETWORK, "--json").stdout)["models"][0]
        check(record["ai_chroma"] == NETWORK and record["chroma_model"] == card["xxh128"], "the record tells", record.get("ai_chroma"))
        r = upscale(source, "again.mkv", "--config", at("auto.json"))
        check(r.returncode == 0 and digest("again.mkv") == digest("auto.mkv"), "a run from the record", r.stderr)
        work = [run(program, *words) for words in (("plan", source, at("parts.mkv"), "--codec", "ffv1", *FAST, *WITH),
                                                   ("work", at("parts.mkv.kizunasr")), ("join", at("parts.mkv.kizunasr")))]
        check(all(w.returncode == 0 for w in work) and digest("parts.mkv") == digest("auto.mkv"), "planned, worked and joined", [w.stderr for w in work])
        r = run(program, "verify", source, at("auto.mkv"), "--provenance", at("auto.json"))
        check(r.returncode == 0, "verify accepts it", r.stdout + r.stderr)
        if EVERY == 1:  # plain C is slow
            r = upscale(source, "c.mkv", *FAST, *WITH, "--cpu", "c")
            check(r.returncode == 0 and digest("c.mkv") == digest("auto.mkv"), "and in plain C", r.stderr)
        r = upscale(source, "onnx.mkv", *FAST, *WITH, "--ai-engine", "onnxruntime")
        if r.returncode == 5:  # there is no ONNX Runtime
            skipped += 1
        else:
            check(r.returncode == 0 and planes(at("onnx.mkv"))[1] == chroma, "beside a model of ONNX Runtime", r.stderr)
            made = run(sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "onnx_nets.py"), at("rgb.onnx"), "channels=3")
            clips.need(made.stderr if made.returncode else None)
            says(source, "filters (the model makes chroma)", "a model that sees colour", "--use-ai", "--ai-model", at("rgb.onnx"), "--ai-color", "rgb", *WITH)

        # What cannot be.
        def fails(text, status, what, *options, **more):
            r = run(program, "upscale", source, at("x.mkv"), "--dry-run", *options, **more)
            check(r.returncode == status and text in r.stderr, what, (r.returncode, r.stderr))

        fails("unusable model: anime-best: it enlarges luma (--ai-model-path anime-best)\n", 5, "a network of luma", *FAST, "--ai-chroma", "anime-best")
        fails(f"unusable model: {NETWORK}: it enlarges chroma (--ai-chroma {NETWORK})\n", 5, "and the other way round", "--use-ai", "--ai-model", NETWORK)
        fails("unusable model: x.onnx: networks of chroma are .ksrnet files\n", 5, "an .onnx file", *FAST, "--ai-chroma", "x.onnx")
        fails("model not found: anime-chrome (did you mean anime-chroma?)\n", 5, "an unknown name", *FAST, "--ai-chroma", "anime-chrome")
        fails("ai_chroma: ", 2, "no name", *FAST, "--ai-chroma", "")

        r = run(program, "upscale", source, at("x.mkv"), "--dry-run", "--json", *FAST, "--ai-chroma", "nothing", "--ai-fallback")
        check(r.returncode == 0 and "model not found: nothing: filters enlarge chroma\n" in r.stderr and json.loads(r.stdout)["model"] == "anime-fast",
              "--ai-fallback: without it", r.stdout + r.stderr)

        # Another file, or none.
        shutil.copytree(json.loads(run(program, "models", "--json").stdout)["folder"], at("models"))
        elsewhere = dict(os.environ, KIZUNASR_MODELS=at("models"))
        run(program, "plan", source, at("mine.mkv"), "--codec", "ffv1", *BEST)
        os.remove(at(f"models/{NETWORK}.ksrnet"))
        says(source, "filters (the network cannot be used)", "a missing file: filters", *BEST, env=elsewhere)
        check(f"warning: model not found: {NETWORK}: filters enlarge chroma\n" in planned(source, *BEST, env=elsewhere)[1].stderr, "with a warning")
        fails(f"model not found: {NETWORK}\n", 5, "one that is named must be there", *BEST, *WITH, env=elsewhere)
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../train/ai"))
        r = upscale(source, "mine.mkv", *BEST, env=elsewhere)
        check(r.returncode != 0 and "belongs to another job: the network of chroma differs" in r.stderr, "a folder of a job that had it", r.stderr)
        says(at("444.mkv"), NOT_420, "where it would not be used anyway", *BEST, env=elsewhere)
        with open(at(f"models/{NETWORK}.ksrnet"), "wb") as f:
            f.write(another())
        r = run(program, "work", at("mine.mkv.kizunasr"), env=elsewhere)
        check(r.returncode != 0 and f"the network of chroma has changed since the job was planned: {NETWORK}" in r.stderr, "a job whose network was replaced", r.stderr)
        r = upscale(source, "mine.mkv", *BEST, env=elsewhere)
        check(r.returncode != 0 and "belongs to another job: the network of chroma differs" in r.stderr, "nor is its folder taken over", r.stderr)
    finish(skipped)


def another():
    """The file of another network of chroma."""
    import networks
    from pack import pack

    return pack(networks.draw("chroma"))


main()
