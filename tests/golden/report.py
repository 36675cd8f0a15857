#!/usr/bin/env python3
"""The report page and the preview, as people use them: in a real browser, without a window.

A film with hostile names is upscaled and reported on. Chromium opens the page from its file: the
slider is dragged, keys are pressed, plots are looked at, light and dark, wide and narrow; nothing may
appear on the console and nothing may be asked of a network.

  report.py PROGRAM [--shots DIR]       DIR: screenshots for people to look at

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, re, shutil, sys, tempfile, urllib.parse

import browser
import clips
from checks import check, finish, run

HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=2'>\u2028 & \"quotes\""
FILE_NAME = "a film <img src=x onerror=window.hacked=3> & 'more'.mkv"
PICTURE = ("testsrc2=size=320x180:rate=24:duration=1[a];gradients=size=320x180:rate=24:duration=1:c0=0x203050:"
           "c1=0xb09060:seed=1:speed=0.01[b];[a][b]concat,format=yuv420p")


def make_films(program, folder):
    source, output = os.path.join(folder, FILE_NAME), os.path.join(folder, "out " + FILE_NAME)
    text = clips.write(folder, "text.srt", clips.SRT)
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", "anoisesrc=color=pink:duration=2:seed=1",
                            "-i", text, "-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-preset", "ultrafast",
                            "-crf", "12", "-threads", "1", "-c:a", "aac", "-metadata", "title=" + HOSTILE,
                            "-metadata:s:a:0", "title=" + HOSTILE, "-metadata:s:a:0", "language=jpn", source))
    record = os.path.join(folder, "record.json")
    times = os.path.join(folder, "times.json")
    r = run(program, "upscale", source, output, "--preset", "ultrafast", "--provenance", record, "--stage-times", times,
            "--keep-work", "--progress", "none")
    check(r.returncode == 0, "upscale", r.stderr)
    with open(times, encoding="utf-8") as file:
        took = json.load(file)
    with open(record, encoding="utf-8") as file:
        check(took["job"] == json.load(file)["job"], "times and record name the same job")
    segments = took["segments"]
    check([(s["first"], s["frames"]) for s in segments] == [(0, 48)], "times of every segment", str(segments))
    check({"decode", "convert", "upscale", "encode"} <= set(segments[0]["seconds"]) and
          all(v > 0 for v in segments[0]["seconds"].values()), "times of stages", str(segments))
    spent, threads = sum(segments[0]["seconds"].values()), segments[0]["threads"]
    check(segments[0]["worker"] == 0 and list(threads) == ["decode", "stages", "encode"] and
          all(abs(sum(t.values()) - spent) < 0.01 and t["busy"] > 0 for t in threads.values()),
          "threads are busy or wait, all of the time", str(segments))
    return source, output, record, times


def data_of(page):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    return text, json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def written(program, films, folder):
    source, output, record, times = films
    page = os.path.join(folder, "report.html")
    r = run(program, "report", source, output, "-o", page, "--provenance", record, "--stage-times", times,
            "--frame", "3", "--at", "0:01.5", "--progress", "none", "--log-level", "warning")
    check(r.returncode == 0 and r.stdout == f"{page}: all checks passed\n" and not r.stderr, "report", r.stdout + r.stderr)
    text, data = data_of(page)
    check("window.hacked" not in text.replace(json.dumps(HOSTILE), "") or "<script>window" not in text, "nothing foreign is markup")
    check("<img src=x" not in text, "no foreign element")
    check("http:" not in text.replace("http://www.w3.org", "") and "https:" not in text, "no address of a network")
    check(data["input"]["name"] == FILE_NAME and folder not in text, "names without folders")
    shots = {s["frame"]: s["why"] for s in data["shots"]}
    check("chosen" in shots.get(3, []) and "chosen" in shots.get(36, []), "chosen frames", str(shots))
    check(any("worst" in w for w in shots.values()) and any("median" in w for w in shots.values()), "worst and median")
    check("after a cut" in shots.get(24, []), "the scene cut", str(shots))
    check(all(s["before"].startswith("data:image/png;base64,") and s["after"].startswith("data:image/png;base64,")
              for s in data["shots"]), "pictures")
    check(len(data["series"]["psnr"]) == 48 and len(data["rates"]["output"]) == 2, "measures over time")
    check(data["settings"]["encoder"]["preset"] == "ultrafast" and data["record"]["kizunasr_provenance"] == 1, "settings and record")
    check(data["settings"]["pipeline"]["denoise"] == data["record"]["denoise"] and "(" in data["record"]["denoise"],
          "the strength that auto came to", data["settings"]["pipeline"]["denoise"])
    with open(times, encoding="utf-8") as file:
        took = json.load(file)["segments"]
    shown = data["times"]["segments"]
    check(shown[0]["device"] == took[0]["device"], "and so does the device", str(shown))
    check(data["times"]["frames"] == 48 and len(shown) == 1 and shown[0]["seconds"] == took[0]["seconds"] and
          shown[0]["from"] == 0 and abs(shown[0]["to"] - 2) < 0.01, "times of stages go into the page", str(data["times"]))
    kept = os.path.join(folder, "kept.html")
    run(program, "report", source, output, "-o", kept)
    check(data_of(kept)[1]["times"] == data["times"], "a kept work folder has them, too")
    shutil.rmtree(output + ".kizunasr")
    run(program, "report", source, output, "-o", kept, "--provenance", record)
    check(data_of(kept)[1]["times"]["segments"] == [], "without them there are none")
    again = os.path.join(folder, "again.html")
    run(program, "report", source, output, "-o", again, "--provenance", record, "--stage-times", times, "--frame", "3", "--at", "0:01.5")
    check(open(page, "rb").read() == open(again, "rb").read(), "the same page again")
    return page


# The canvas' pixels of one row in the middle, as a string of averages of 20 stretches.
ROW = """(() => { const c = document.getElementById('view'), g = c.getContext('2d');
  const d = g.getImageData(0, Math.floor(c.height / 4), c.width, 1).data, out = [];
  for (let i = 0; i < 20; i++) { let s = 0, n = 0;
    for (let x = Math.floor(i * c.width / 20) + 4; x < Math.floor((i + 1) * c.width / 20) - 4; x++, n++) s += d[4 * x] + d[4 * x + 1] * 3 + d[4 * x + 2] * 7;
    out.push(Math.round(100 * s / n)); } return out; })()"""


def viewer(b):
    check(b.until("document.getElementById('shot-note').textContent !== ''"), "a frame is shown")
    rows = {}
    for key in "bas":
        b.key(key, ord(key.upper()), key)
        rows[key] = b.run(ROW)
    differs = [i for i in range(20) if rows["b"][i] != rows["a"][i]]
    check(len(differs) >= 10, "before is not after", str(differs))
    box = b.run("(r => ({x: r.x, y: r.y, w: r.width, h: r.height}))(document.getElementById('view').getBoundingClientRect())")
    y = box["y"] + box["h"] / 2
    half = b.run(ROW)
    check(half[:9] == rows["b"][:9] and half[11:] == rows["a"][11:], "before on the left, after on the right", str(half))
    b.mouse("mousePressed", box["x"] + box["w"] / 2, y, 1)
    for step in range(1, 6):
        b.mouse("mouseMoved", box["x"] + box["w"] * (0.5 + 0.06 * step), y, 1)
    b.mouse("mouseReleased", box["x"] + box["w"] * 0.8, y, 0)
    value = int(b.run("document.getElementById('split').value"))
    moved = b.run(ROW)
    check(abs(value - 800) <= 5, "the border follows the mouse", str(value))
    check(moved[:15] == rows["b"][:15] and moved[17:] == rows["a"][17:], "and the picture follows it", str(moved))
    b.mouse("mouseMoved", box["x"] + 5, y, 0)
    check(int(b.run("document.getElementById('split').value")) == value, "it is let go")
    b.run("document.getElementById('view').focus()")
    b.key("ArrowLeft", 37)
    check(int(b.run("document.getElementById('split').value")) == value - 20, "an arrow moves it")
    selected = "[...document.querySelectorAll('#shots button')].findIndex(x => x.getAttribute('aria-selected') === 'true')"
    first = b.run(selected)
    b.key("]", 221, "]")
    check(b.until(f"{selected} === {first + 1}"), "] shows the next frame")
    b.key("[", 219, "[")
    check(b.until(f"{selected} === {first}"), "[ shows the one before")
    b.key("+", 187, "+")
    b.key("+", 187, "+")
    check(b.run("document.querySelector('#zooms [aria-checked=true]').textContent") == "2×", "+ zooms")
    before = b.run(ROW)
    b.key("ArrowRight", 39, modifiers=8)
    check(b.run(ROW) != before, "Shift and an arrow move the picture")
    b.key("d", 68, "d")
    check(b.run("document.getElementById('tag-right').textContent") == "Difference ×8", "d shows the difference")
    dark = sum(b.run(ROW))
    b.run("(e => { e.value = 32; e.dispatchEvent(new Event('input')); })(document.getElementById('gain'))")
    check(sum(b.run(ROW)) > dark, "and more gain shows more of it")
    for key, code in (("s", 83), ("-", 189), ("-", 189)):
        b.key(key, code, key)


def plots(b):
    b.until("document.querySelectorAll('svg path.line').length === 4")
    lines = b.run("""[...document.querySelectorAll('svg path.line')].map(p => [p.getAttribute('d').length, p.getBBox().width, p.getBBox().height])""")
    check(len(lines) == 4 and all(d > 20 and w > 100 and h > 5 for d, w, h in lines), "four lines are drawn", str(lines))
    check(b.run("![...document.querySelectorAll('svg path.line')].some(p => /NaN|Infinity/.test(p.getAttribute('d')))"), "of numbers")
    figures = "[...document.querySelectorAll('figure')].map(f => f.querySelector('b').textContent)"
    check(" The stages ran on " in b.run("document.querySelectorAll('.plots figure')[4].textContent"), "the device is named")
    check(b.run(figures)[3:] == ["Time per frame by stage, in milliseconds", "Time by stage"], "times are shown", str(b.run(figures)))
    parts = b.run("[...document.querySelectorAll('svg rect.part')].map(r => [r.getBBox().width, r.getBBox().height])")
    check(len(parts) >= 5 and all(w > 100 and h >= 0 for w, h in parts) and sum(h for _, h in parts) > 100, "stages are drawn", str(parts))
    bars = b.run("[...document.querySelectorAll('.bars')].flatMap(e => [...e.children].map(c => c.textContent))")
    shares = [float(m[1]) for m in (re.search(r", ([0-9.]+) %", t) for t in bars) if m]
    check(bars[0] == "decode" and len(bars) == 3 * len(shares) and abs(sum(shares) - 100) < 1, "their sums", str(bars))
    b.run("document.querySelectorAll('svg')[3].focus()")
    b.key("ArrowRight", 39)
    said = b.run("document.querySelectorAll('.plots figure')[3].querySelector('.readout').textContent")
    check(re.match(r"0.00 s to (2.00|1.99|2.0) s: [0-9.]+ ms a frame; decode [0-9.]+ ms, convert ", said), "keys read times off", said)
    b.run("document.querySelector('svg').focus()")
    b.key("ArrowRight", 39)
    check(re.match(r"0\.0\d s: [0-9.]+ dB", b.run("document.querySelector('.readout').textContent")), "keys read values off",
          b.run("document.querySelector('.readout').textContent"))


def look(b, page, folder, shots):
    url = "file://" + urllib.parse.quote(page)
    check(b.open(url, 1280, 900), "the page opens")
    viewer(b)
    plots(b)
    check(b.run("document.querySelectorAll('#checks li').length") >= 12, "checks")
    check(b.run("document.getElementById('drawing').hidden"), "no search, no curve")
    check(b.run("document.querySelectorAll('#streams tbody tr').length") == 3, "streams")
    check(b.run("document.title").startswith("out a film <img") and b.run("document.getElementById('title').textContent") == "out " + FILE_NAME,
          "names are text")
    check("window.hacked" in b.run("document.getElementById('streams').textContent"), "titles are text")
    light = b.run("getComputedStyle(document.body).backgroundColor")
    if shots:
        b.shoot(os.path.join(shots, "light.png"))
    b.run("document.getElementById('theme').click(); document.getElementById('theme').click()")
    check(b.run("document.documentElement.classList.contains('dark')"), "the switch makes it dark")
    b.run("document.getElementById('theme').click()")
    b.open("file://" + urllib.parse.quote(os.path.join(folder, "kept.html")), 800, 800)
    check(b.until("document.querySelectorAll('.plots figure').length === 4") and "upscale --stage-times FILE writes it" in
          b.run("document.querySelectorAll('.plots figure')[3].textContent"), "a page without times says so")
    for name, width, scale, dark in (("dark", 1280, 1, True), ("phone", 360, 2, False), ("phone-dark", 320, 2, True)):
        b.open(url, width, 800, scale, dark)
        b.until("document.getElementById('shot-note').textContent !== ''")
        check((b.run("getComputedStyle(document.body).backgroundColor") != light) == dark, f"{name}: colours")
        wide = b.run("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        check(wide[0] <= wide[1], f"{name}: nothing sticks out", str(wide))
        if shots:
            b.shoot(os.path.join(shots, name + ".png"))
        check(not b.troubles(), f"{name}: no trouble on the console", "; ".join(b.troubles()))
    check(b.run("window.hacked") is None, "no foreign code has run")


def refusals(program, films, folder):
    source, output, record, times = films
    other = os.path.join(folder, "other.json")
    for name, change, word in (("job", {"job": "0" * 32}, "of another run"), ("frames", {"segments": [{"first": 40, "frames": 9, "seconds": {}}]},
                               "of another run"), ("kind", {"kizunasr_times": "one"}, "is not a timings file")):
        with open(times, encoding="utf-8") as a, open(other, "w", encoding="utf-8") as b:
            json.dump({**json.load(a), **change}, b)
        r = run(program, "report", source, output, "-o", os.path.join(folder, "other.html"), "--provenance", record, "--stage-times", other,
                "--progress", "none", "--log-level", "error")
        check(r.returncode == 2 and word in r.stderr, f"times with another {name}", f"{r.returncode} {r.stderr}")
    r = run(program, "upscale", source, os.path.join(folder, "new.mkv"), "--stage-times", output, "--progress", "none", "--log-level", "error")
    check(r.returncode == 2 and "would replace another file" in r.stderr, "times do not replace a film", r.stderr)
    page = os.path.join(folder, "other.html")
    for name, options, status, word in (
            ("frame", ["-o", page, "--frame", "48"], 2, "the output has no frame 48 (0 to 47)"),
            ("time", ["-o", page, "--at", "3"], 2, "the output ends before 3"),
            ("words", ["-o", page, "--at", "noon"], 2, "'noon' is not a time"),
            ("onto the film", ["-o", output], 2, "would replace the video"),
            ("folder", ["-o", folder], 4, "is a folder"),
            ("nowhere", ["-o", os.path.join(folder, "no", "page.html")], 4, ""),
            ("nothing", [], 2, "-o FILE is missing")):
        r = run(program, "report", source, output, *options, "--progress", "none", "--log-level", "error")
        check(r.returncode == status and word in r.stderr and not os.path.exists(page), f"refused: {name}", f"{r.returncode} {r.stderr}")


def lost_times(program, films, folder):
    """A film is not lost over how long it took: files of times that cannot be written or read are warnings."""
    out = os.path.join(folder, "untimed.mkv")
    work = out + ".kizunasr"
    quiet = ("--progress", "none", "--log-level", "warning")
    run(program, "plan", films[0], out, "--preset", "ultrafast", *quiet)
    segment = os.path.join(work, "000000.times")
    os.mkdir(segment)
    r = run(program, "work", work, *quiet)
    check(r.returncode == 0 and r.stderr.count("cannot write timings") == 1, "work goes on without its times", r.stderr)
    os.mkdir(os.path.join(work, "times.json"))
    r = run(program, "join", work, "--keep-work", *quiet)
    check(r.returncode == 0 and "cannot read the timings of segment 0" in r.stderr and "cannot write timings" in r.stderr,
          "join goes on without times", r.stderr)
    os.rmdir(segment)
    for text, warned in (("{", True), ('{"job": "%s", "seconds": {"other": -1}}' % ("0" * 32), False), ("[]", True)):
        with open(segment, "w", encoding="utf-8") as file:
            file.write(text)
        for name in ("done.json", "../untimed.mkv"):
            os.remove(os.path.join(work, name))
        r = run(program, "join", work, "--keep-work", *quiet)
        check(r.returncode == 0 and ("cannot read the timings of segment 0" in r.stderr) == warned, f"times that are {text}", r.stderr)


def preview(program, films, folder):
    samples = os.path.join(folder, "samples")
    r = run(program, "preview", films[0], "-o", samples, "--duration", "0.5", "--samples", "2", "--preset", "ultrafast",
            "--saturation-boost", "1.3", "--json", "--progress", "none", "--log-level", "error")
    check(r.returncode == 0, "preview", r.stdout + r.stderr)
    said = json.loads(r.stdout) if r.returncode == 0 else {}
    check(said.get("samples") == 2 and said.get("frames") == 24 and said.get("film_frames") == 48 and said.get("passed"), "two samples", r.stdout)
    check(sorted(os.listdir(samples)) == ["report-1.html", "report-2.html", "sample-1.json", "sample-1.mkv", "sample-2.json", "sample-2.mkv"],
          "files", str(os.listdir(samples)))
    sizes = sum(os.path.getsize(os.path.join(samples, f"sample-{i}.mkv")) for i in (1, 2))
    check(abs(said["bytes"] / (2 * sizes) - 1) < 0.05 and said["bytes_range"][0] <= said["bytes"] <= said["bytes_range"][1], "size", str(said))
    check(0 < said["seconds_range"][0] <= said["seconds"] <= said["seconds_range"][1], "time", str(said))
    _, data = data_of(os.path.join(samples, "report-2.html"))
    check(data["estimate"]["bytes"] == said["bytes"] and data["times"]["segments"][0]["seconds"]["upscale"] > 0 and data["output"]["frames"] == 12, "its page")
    r = run(program, "preview", films[0], "-o", samples, "--start", "1", "--duration", "0.25", "--preset", "ultrafast", "--progress", "none", "--log-level", "error")
    check(r.returncode == 0 and re.match(r".*: 1 sample, 6 frames at [0-9.]+ per second, all checks passed\nwhole video: 48 frames, about ", r.stdout),
          "one sample where it is wanted", r.stdout + r.stderr)


def without(program, films, folder):
    """Settings that restore are shown beside the same without them. Returns the page."""
    samples = os.path.join(folder, "restored")
    quiet = ("--start", "1", "--duration", "0.25", "--codec", "ffv1", "--progress", "none", "--log-level", "error")
    r = run(program, "preview", films[0], "-o", samples, "--deband", "0.5", "--temporal", "--sharpening", "0.5", *quiet)
    names = sorted(os.listdir(samples))
    check(r.returncode == 0 and names == ["report-1.html", "sample-1-without.mkv", "sample-1.json", "sample-1.mkv"], "a sample without restoration",
          f"{r.stderr} {names}")
    plain = os.path.join(folder, "plain.mkv")
    run(program, "upscale", films[0], plain, "--denoise", "0", "--sharpening", "0.5", *quiet)
    read = lambda path: open(path, "rb").read()
    check(read(plain) == read(os.path.join(samples, "sample-1-without.mkv")), "which is what the other settings make")
    _, data = data_of(os.path.join(samples, "report-1.html"))
    check(data["shots"] and all(s["without"] not in (s["before"], s["after"]) for s in data["shots"]), "and is in the page")
    _, data = data_of(os.path.join(folder, "samples", "report-1.html"))
    check(not any("without" in s for s in data["shots"]), "defaults need none")
    return os.path.join(samples, "report-1.html")


def look_without(b, page, shots):
    b.open("file://" + urllib.parse.quote(page), 360, 800)
    b.until("document.getElementById('shot-note').textContent !== ''")
    left = "document.getElementById('tag-left').textContent"
    note = lambda: b.run("document.getElementById('shot-note').textContent")
    check(b.run(left) == "Before" and " Before is " in note() and not b.run("document.getElementById('lefts').hidden"), "first the source", note())
    b.run("document.getElementById('lefts').children[1].click()")
    check(b.until(f"{left} === 'Without restoration'") and " Both are " in note(), "then the same unrestored", note())
    wide = b.run("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    check(wide[0] <= wide[1], "nothing sticks out", str(wide))
    if shots:
        b.shoot(os.path.join(shots, "without.png"))
    b.key("w", 87)
    check(b.until(f"{left} === 'Before'"), "W goes back")
    check(not b.troubles(), "no trouble on the console", "; ".join(b.troubles()))


def drawn(program, folder):
    """A film that was enlarged, descaled: the search for its size is in the record. Returns the page."""
    source, output, record, page = (os.path.join(folder, name) for name in ("large.mkv", "descaled.mkv", "descaled.json", "descaled.html"))
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=720x405:rate=24:duration=0.2,format=yuv444p,scale=960:540:flags=bilinear+accurate_rnd",
                            "-pix_fmt", "yuv420p", "-c:v", "ffv1", "-g", "1", "-bitexact", source))
    quiet = ("--progress", "none", "--log-level", "warning")
    r = run(program, "upscale", source, output, "--descale", "auto", "--denoise", "0", "--preset", "ultrafast", "--provenance", record, *quiet)
    check(r.returncode == 0, "a descaled film", r.stderr)
    with open(record, encoding="utf-8") as file:
        kept = json.load(file)
    there = json.loads(run(program, "probe", source, "--picture", "--json").stdout)["picture"]
    check(kept["curve"] == there["curve"] and len(kept["curve"]["errors"]) > 100 and kept["descale"].startswith("720x405:"),
          "the record has the curve that probe shows", kept["descale"])
    r = run(program, "report", source, output, "-o", page, "--provenance", record, *quiet)
    check(r.returncode == 0, "its report", r.stdout + r.stderr)
    return page


def look_drawn(b, page, shots):
    b.open("file://" + urllib.parse.quote(page), 1280, 900)
    svg = "document.querySelector('#drawing svg')"
    check(not b.run("document.getElementById('drawing').hidden") and b.until(f"!!{svg}.querySelector('path')"), "there is a curve")
    labels = b.run(f"[...{svg}.querySelectorAll('text')].map(t => t.textContent)")
    check("400" in labels and not any(" s" in t for t in labels), "over heights", str(labels))
    lowest, mark = b.run(f"""(() => {{ const p = {svg}.querySelector('path').getAttribute('d').slice(1).split('L').map(t => t.split(' ').map(Number));
        return [p.reduce((a, c) => c[1] > a[1] ? c : a)[0], +{svg}.querySelector('.chosen').getAttribute('x1')]; }})()""")
    check(abs(lowest - mark) < 2, "whose dip is pointed out", f"{lowest} {mark}")
    note = b.run("document.querySelector('#drawing .readout').textContent")
    check(note.startswith("Descaled: 720x405:") and "(measured)" in note, "and named", note)
    b.run(f"{svg}.focus()")
    b.key("ArrowRight", 39)
    said = b.run("document.querySelector('#drawing .readout').textContent")
    check(re.fullmatch(r"\d+ rows: [0-9.]+ codes of 8 bits", said), "keys read it off", said)
    if shots:
        b.shoot(os.path.join(shots, "drawn.png"))
    b.open("file://" + urllib.parse.quote(page), 320, 800, 2, True)
    b.until(f"!!{svg}.querySelector('path')")
    wide = b.run("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    check(wide[0] <= wide[1], "nothing sticks out of a phone", str(wide))
    if shots:
        b.shoot(os.path.join(shots, "drawn-phone.png"))
    check(not b.troubles(), "no trouble on the console", "; ".join(b.troubles()))


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("program")
    a.add_argument("--shots")
    args = a.parse_args()
    program, folder = os.path.abspath(args.program), tempfile.mkdtemp(prefix="report-")
    films = make_films(program, folder)
    page = written(program, films, folder)
    refusals(program, films, folder)
    lost_times(program, films, folder)
    preview(program, films, folder)
    restored = without(program, films, folder)
    descaled = drawn(program, folder)
    chromium, skipped = browser.find(), 0
    if chromium:
        b = browser.Browser(chromium)
        try:
            look(b, page, folder, args.shots)
            look_without(b, restored, args.shots)
            look_drawn(b, descaled, args.shots)
        finally:
            b.close()
    else:
        print("skipped: there is no chromium")
        skipped = 1
    shutil.rmtree(folder)
    finish(skipped)


if __name__ == "__main__":
    main()
