#!/usr/bin/env python3
"""The quick check after a join: colours that are read otherwise than they were coded are found in a
few frames of outputs twice as large, and nothing is said of those that are as they should be.

  sampled.py SAMPLED

Ends with `N passed, N failed, N skipped`.
"""
import os, sys, tempfile

from checks import check, finish, run

SOURCE = "testsrc2=size=192x108:rate=8:duration=2,colorchannelmixer=rr=0.9:gg=0.5:bb=0.2,format=yuv420p"  # warm, not very bright
LARGE = "scale=384:216:flags=bicubic"

# name: what is done to the frames, and how the check begins
CASES = {
    "as it should be": ("null", ""),
    "brighter by two codes": ("lutyuv=y=val+2", ""),
    "601 as 709": ("colormatrix=bt709:bt601", "colour: colours of BT.601 are read as BT.709 (matrix): "),
    "709 as 601": ("colormatrix=bt601:bt709", "colour: colours of BT.709 are read as BT.601 (matrix): "),
    "stretched": ("lutyuv=y=(val-16)*255/219:u=(val-128)*255/224+128:v=(val-128)*255/224+128",
                  "colour: limited range became full range: too much contrast: "),
    "squeezed": ("lutyuv=y=val*219/255+16:u=(val-128)*224/255+128:v=(val-128)*224/255+128",
                 "colour: full range became limited range: too little contrast: "),
    "tinted": ("lutyuv=u=val+9", "colour: there is a colour cast: "),
    "chroma planes exchanged": ("lutyuv=u=255-val", "colour: "),
}


def make(path, filters):
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", SOURCE, "-vf", filters, "-c:v", "ffv1", path)


def main():
    with tempfile.TemporaryDirectory() as folder:
        source, out = os.path.join(folder, "in.mkv"), os.path.join(folder, "out.mkv")
        make(source, "null")
        for name, (filters, expected) in CASES.items():
            make(out, f"{filters},{LARGE}")
            r = run(sys.argv[1], source, out)
            said = r.stdout.rstrip("\n")
            check(r.returncode == 0 and (said.startswith(expected) if expected else said == ""), name,
                  f"status {r.returncode}: {said}{r.stderr}")
    finish()


if __name__ == "__main__":
    main()
