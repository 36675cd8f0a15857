#!/usr/bin/env python3
"""Man pages and completions: pages.py PROGRAM FOLDER_OF_PAGES

Every verb and every option of the help texts must be in them, and shells must offer what they say.
A shell or `man` that is not installed is skipped.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

program, pages = map(os.path.abspath, sys.argv[1:3])
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../models/networks.toml"),
          "rb") as table:
    TABLE = tomllib.load(table)
CHROMA = [name for name, keys in TABLE.items() if keys.get("enlarges") == "chroma"]
NETWORKS = [name for name in TABLE if name not in CHROMA]
counts = {"passed": 0, "failed": 0, "skipped": 0}


def run(*command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **more)
    return done.stdout.decode()


def check(what, good, shown=""):
    counts["passed" if good else "failed"] += 1
    if not good:
        print(f"FAILED {what}\n{shown}")


def equal(what, got, wanted):
    check(what, got == wanted, f"    got    {got}\n    wanted {wanted}")


def there(name):
    if shutil.which(name):
        return True
    counts["skipped"] += 1
    print(f"skipped: {name} is not installed")
    return False


def page(name):
    with open(os.path.join(pages, name), encoding="utf-8") as file:
        return file.read()


verbs = re.findall(r"^  ([a-z]+) ", run(program, "--help"), re.M)
options = {v: re.findall(r"^  --([a-z0-9-]+)", run(program, v, "--help=all"), re.M) for v in verbs}
check("verbs are found", "upscale" in verbs and "crf" in options["upscale"], str(verbs))

for verb in verbs:
    name = f"kizunasr-{verb}.1"
    if not os.path.exists(os.path.join(pages, name)):
        check(f"{name}: add the verb to cli_verbs in cli/meson.build", False)
        continue
    text = page(name).replace("\\-", "-")
    equal(f"{name} has every option", re.findall(r"^\\fB--([a-z0-9-]+)", text, re.M), options[verb])
    check(f"kizunasr.1 has {verb}", f"\\fB{verb}\\fR" in page("kizunasr.1"))
    text = run(program, verb, "--help")
    rows = text.split("\n")[:-1]
    check(f"{verb} --help fits a screen", len(rows) <= 24 and max(map(len, rows)) < 80, text)
text = run(program, "--help")
check("--help fits a screen", text.count("\n") <= 24 and max(map(len, text.split("\n"))) < 80, text)

if there("man"):
    for verb in verbs:
        path = os.path.join(pages, f"kizunasr-{verb}.1")
        equal(f"man has no complaint about {verb}",
              run("sh", "-c", f"man --warnings -l '{path}' 2>&1 >/dev/null"), "")


def bash(*words):
    script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kizunasr; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return run("bash", "-c", script, os.path.join(pages, "kizunasr"), "kizunasr", *words,
               cwd=folder).split("\n")[:-1]


with tempfile.TemporaryDirectory() as folder:
    open(os.path.join(folder, "a film.mkv"), "w", encoding="utf-8").close()
    os.mkdir(os.path.join(folder, "a folder"))
    if there("bash"):
        equal("bash: verbs", bash(""), verbs + ["--help", "--version"])
        equal("bash: a verb", bash("ups"), ["upscale"])
        for verb in verbs:
            equal(f"bash: options of {verb}", bash(verb, "--"),
                  ["--help"] + [f"--{o}" for o in options[verb]])
        equal("bash: files", sorted(bash("upscale", "a")), ["a film.mkv", "a folder"])
        equal("bash: folders", bash("upscale", "--work-dir", "a"), ["a folder"])
        equal("bash: values", bash("upscale", "--preset", "med"), ["medium"])
        equal("bash: no values", bash("upscale", "--crf", ""), [""])
        equal("bash: model or file", sorted(bash("upscale", "--ai-model", "a")),
              ["a film.mkv", "a folder", *sorted([*NETWORKS, "auto"])])
        equal("bash: network of chroma", sorted(bash("upscale", "--ai-chroma", "a")),
              ["a film.mkv", "a folder", *sorted([*CHROMA, "auto"])])
    if there("zsh"):
        script = ('_describe() { print -l -- $verbs }; _arguments() { print -l -- "$@" }; '
                  'words=(kizunasr "$@"); CURRENT=$#words; source "$0" "$@"')
        path = os.path.join(pages, "_kizunasr")
        got = run("zsh", "-fc", script, path, "").split("\n")
        equal("zsh: the file is well formed", run("zsh", "-fn", path), "")
        equal("zsh: verbs", [line.split(":")[0] for line in got if line], verbs)
        for verb in verbs:
            got = run("zsh", "-fc", script, path, verb, "--")
            equal(f"zsh: options of {verb}", re.findall(r"^\*--([a-z0-9-]+)", got, re.M),
                  options[verb])
    if there("fish"):
        env = dict(os.environ, HOME=folder)

        def fish(line):
            script = f"source '{pages}/kizunasr.fish'; complete -C '{line}'"
            got = run("fish", "--no-config", "-c", script, cwd=folder, env=env)
            return [offer.split("\t")[0] for offer in got.split("\n") if offer]

        equal("fish: verbs", sorted(fish("kizunasr ")), sorted(verbs))
        for verb in verbs:
            equal(f"fish: options of {verb}", sorted(fish(f"kizunasr {verb} --")),
                  sorted(f"--{o}" for o in options[verb]))
        equal("fish: values", fish("kizunasr upscale --preset med"), ["medium"])
        equal("fish: folders", fish("kizunasr upscale --work-dir a"), ["a folder/"])

print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
sys.exit(counts["failed"] > 0)
