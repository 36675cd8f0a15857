#!/usr/bin/env python3
"""Runs the commands of docs/tasks/*.md, and compares the manual's defaults and the messages that
troubleshooting.md quotes with the program's: docs.py PROGRAM FOLDER

The indented blocks of a page, one after the other, are a script that must succeed, in a folder with
small films of the names that the page uses.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

program, folder = sys.argv[1], sys.argv[2]
X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
SOURCE = "-f lavfi -i testsrc2=s=96x64:r=24 -f lavfi -i sine=440:r=48000 -t {} -c:a aac"
SUBTITLES = "-f srt -i 'data:text/plain;base64,MQowMDowMDowMCwxMDAgLS0+IDAwOjAwOjAwLDUwMApIZWxsbwo='"
FILMS = {  # by page
    "archive-a-season": [("season/episode-01.mkv", f"{SOURCE.format(4)} {X264}"),
               ("season/episode-02.mkv", f"{SOURCE.format(1)} {X264}")],
    "dvd": [("dvd.mkv", "-f lavfi -i testsrc2=s=352x240:r=24000/1001,telecine -t 1 "
             "-c:v mpeg2video -flags +ildct+ilme -aspect 4:3 -q:v 4")],
    "ten-bit": [("ten-bit.mkv", f"{SOURCE.format(1)} -c:v libx265 -pix_fmt yuv420p10le "
             "-x265-params log-level=error"),
            ("eight-bit.mkv", f"{SOURCE.format(1)} {X264}")],
    "variable-frame-rate": [("vfr.mkv", f"{SOURCE.format(2)} -vf select='not(eq(mod(n\\,5)\\,2))' "
             f"-fps_mode vfr {X264}"),
            ("film.mkv", f"{SOURCE.format(2)} -r 24000/1001 {X264}")],
    "subtitle-files": [("episode.mkv", f"{SOURCE.format(1)} {X264}"), ("season/episode-01.mkv", f"{SOURCE.format(1)} {X264}"),
                       *((name, SUBTITLES) for name in ("episode.srt", "episode.pt.srt", "episode.en.ass", "season/episode-01.en.srt"))],
    "gpu": [("input.mkv", f"{SOURCE.format(1)} {X264}")],
    "vapoursynth": [("input.mkv", f"{SOURCE.format(1)} {X264}")],
    "hardware-encoders": [("input.mkv", f"{SOURCE.format(1)} {X264}")],
    "cluster": [("input.mkv", f"{SOURCE.format(20)} {X264} -g 24")],
}
# A scheduler as small as the page needs: it runs each number of the array.
SBATCH = """#!/bin/sh
for argument; do
    case $argument in --array=*) last=${argument##*-} ;; esac
    script=$argument
done
for i in $(seq 0 "$last"); do SLURM_ARRAY_TASK_ID=$i sh -c "$script" || exit 1; done
"""


def commands(page):
    text = open(page, encoding="utf-8").read()
    blocks = re.findall(r"(?:^(?: {4}| {8}).*\n)+", text, re.M)
    return "\n".join(re.sub(r"^ {4,8}(?=\S)", "", block, flags=re.M) for block in blocks)


# Options whose default is named otherwise in the manual than in settings.
NAMED = {"temporal": "enable_temporal", "ai-model": "ai_model_path", "encoder-option": "encoder_options"}
TOLD = {"ai_model_path": "anime-quality", "encoder_options": "none", "framerate": "24"}


def manual_defaults(program, manual):
    """Lines that tell where a default in the manual's table of settings is not the program's."""
    answer = subprocess.run([program, "config"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True)
    settings = {name: value for part in json.loads(answer.stdout).values() for name, value in part.items()}
    rows = re.findall(r"^\| `--([a-z-]+)` \|[^|]*\| ([^|]+) \|", open(manual, encoding="utf-8").read(), re.M)
    seen, wrong = set(), []
    for option, default in rows:
        name = NAMED.get(option, option.replace("-", "_"))
        if name not in settings or name in seen:
            continue
        seen.add(name)
        value = settings[name]
        told = TOLD.get(name, "none" if value is None else str(value).lower() if isinstance(value, bool) else value)
        default = default.strip("` ")
        same = float(default) == told if isinstance(told, (int, float)) else default == told
        if not same:
            wrong.append(f"--{option}: the manual says {default}, the program {told}")
    missing = set(settings) - seen - {"input_path", "output_path"}
    return wrong + [f"{name} is not in the manual's table" for name in sorted(missing)]


def schema_defaults(program):
    """Lines that tell where the default that the schema and the help name is not the one that runs."""
    config, schema = (json.loads(subprocess.run([program, "config", *more], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True).stdout)
                      for more in ([], ["--schema"]))
    return [f"{part}.{name}: the schema says {field['default']}, the program {config[part].get(name)}"
            for part, group in schema["properties"].items() for name, field in group["properties"].items()
            if name not in config[part] or field["default"] != config[part][name]]


def header_defaults(program, header):
    """The same of the comments in config.h, which name every default but none and false."""
    schema = json.loads(subprocess.run([program, "config", "--schema"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True).stdout)
    comments = {}
    for text, name in re.findall(r"((?:^    //.*\n)+)    [a-z_ ]+[ *]([a-z_]+);", open(header, encoding="utf-8").read(), re.M):
        comments[name] = re.sub(r"\s*\n\s*// ", " ", text)
    fields = {name: field["default"] for group in schema["properties"].values() for name, field in group["properties"].items()}
    named = {"denoise": "KSR_AUTO", "on_frame_error": "KSR_FRAME_ERROR_ABORT", "deinterlace": "KSR_DEINTERLACE_OFF",
             "inverse_telecine": "KSR_TELECINE_OFF"}
    wanted = {name: named.get(name, str(value).lower()) for name, value in fields.items() if value not in (None, {})}
    return [f"config.h does not say that {name} is {value} by default" for name, value in wanted.items()
            if not re.search(rf'default "?{re.escape(value)}"?[);]', comments.get(name, ""))]


def quoted_messages(page, sources):
    """Lines that tell which messages, quoted in the headings of a page, are not in the sources."""
    files = [f for part in ("src", "cli") for f in glob.glob(f"{sources}/{part}/**/*.c", recursive=True)]
    texts = "".join(re.sub(r'"\s*"', "", open(f, encoding="utf-8").read()) for f in files)
    headings = re.findall(r"^\*\*(`.*?`)\*\*", open(page, encoding="utf-8").read(), re.M)
    quoted = [part.strip() for h in headings for code in re.findall("`(.*?)`", h) for part in code.split("...")]
    return [f"no message has '{part}'" for part in quoted if part not in texts] or ([] if quoted else ["no message is quoted"])


def prepare(room, page):
    os.mkdir(f"{room}/bin")
    if page.endswith("hardware-encoders.md"):  # with those in software in their place
        with open(f"{room}/bin/kizunasr", "w", encoding="utf-8") as file:
            file.write(f'#!/bin/bash\nexec {os.path.abspath(program)} "${{@//hevc_nvenc/libx265}}"\n')
        os.chmod(f"{room}/bin/kizunasr", 0o755)
    else:
        os.symlink(os.path.abspath(program), f"{room}/bin/kizunasr")
    with open(f"{room}/bin/sbatch", "w", encoding="utf-8") as file:
        file.write(SBATCH)
    os.chmod(f"{room}/bin/sbatch", 0o755)
    os.mkdir(f"{room}/season")
    for name, recipe in FILMS[os.path.splitext(os.path.basename(page))[0]]:
        subprocess.run(f"ffmpeg -v error {recipe} {name}", shell=True, cwd=room, check=True,
                       stdin=subprocess.DEVNULL)


if not shutil.which("ffmpeg"):
    sys.exit(77)
pages, failed = sorted(glob.glob(os.path.join(folder, "*.md"))), 0
for page in pages:
    with tempfile.TemporaryDirectory() as room:
        script = commands(page)
        prepare(room, page)
        env = dict(os.environ, PATH=f"{room}/bin:{os.environ['PATH']}")
        done = subprocess.run(["bash", "-e", "-u", "-c", script], cwd=room, env=env, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    if done.returncode != 0 or "kizunasr" not in script:
        failed += 1
        print(f"FAILED {page}, exit status {done.returncode}\n{script}\n{done.stdout.decode()}")
wrong = manual_defaults(program, os.path.join(folder, "../manual.md")) + schema_defaults(program)
wrong += header_defaults(program, os.path.join(folder, "../../include/kizunasr/config.h"))
wrong += quoted_messages(os.path.join(folder, "../troubleshooting.md"), os.path.join(folder, "../.."))
failed += bool(wrong)
print("".join(line + "\n" for line in wrong) + f"{len(pages) + 1 - failed} passed, {failed} failed, 0 skipped")
sys.exit(failed > 0)
