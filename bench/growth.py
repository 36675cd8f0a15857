#!/usr/bin/env python3
"""How the time for a frame grows with its size, the scale and the threads: a table and a plot.

    growth.py [--program build/kizunasr] [--time MS] [--svg FILE] [--json FILE]

Runs `kizunasr bench --json` for inputs from 640x360 to 3840x2160 and takes the times of all stages
with learned filters: no decoder, no encoder.
"""
import argparse, json, math, subprocess

SIZES = ["640x360", "960x540", "1280x720", "1920x1080", "2560x1440", "3840x2160"]
COLOURS = ["#1f77b4", "#2ca02c", "#d62728", "#ff7f0e", "#9467bd", "#8c564b", "#17becf", "#7f7f7f"]


def measure(program, size, ms):
    r = subprocess.run([program, "bench", "--size", size, "--time", str(ms), "--json"], capture_output=True, text=True,
                       check=True)
    bench = json.loads(r.stdout)
    return bench, {(run["scale"], run["threads"]): run["ms"] for run in bench["runs"] if run["name"] == "filters"}


def table(rows, series):
    lines = ["| input | " + " | ".join(f"{s}x, {t} thread{'s' * (t > 1)}" for s, t in series) + " |",
             "| --- |" + " --- |" * len(series)]
    for size, times in rows.items():
        lines.append(f"| {size} | " + " | ".join(f"{times[k]:.1f}" for k in series) + " |")
    return "\n".join(lines)


def plot(rows, series, title):
    """Both axes logarithmic, so that proportional growth is a straight line of one slope."""
    pixels = {size: math.prod(int(n) for n in size.split("x")) for size in rows}
    times = [t for row in rows.values() for t in row.values()]
    left, right, top, bottom = 70, 560, 40, 340
    x0, x1 = math.log(min(pixels.values()) / 1.15), math.log(max(pixels.values()) * 1.15)
    y0, y1 = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    at_x = lambda v: left + (math.log(v) - x0) / (x1 - x0) * (right - left)
    at_y = lambda v: bottom - (math.log10(v) - y0) / (y1 - y0) * (bottom - top)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 400" font-family="sans-serif" font-size="13">',
           '<rect width="720" height="400" fill="#fff"/>', f'<text x="{left}" y="24" font-size="15">{title}</text>']
    for decade in range(y0, y1 + 1):
        y = at_y(10 ** decade)
        out.append(f'<path d="M{left} {y:.1f}H{right}" stroke="#ccc"/>'
                   f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{10 ** decade:g} ms</text>')
    for size, n in pixels.items():
        x = at_x(n)
        out.append(f'<path d="M{x:.1f} {top}V{bottom}" stroke="#eee"/>'
                   f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" font-size="11">{size}</text>')
    out.append(f'<text x="{(left + right) / 2}" y="{bottom + 42}" text-anchor="middle">input picture</text>')
    for i, (scale, threads) in enumerate(series):
        points = [(at_x(pixels[s]), at_y(row[scale, threads])) for s, row in rows.items()]
        colour = COLOURS[i % len(COLOURS)]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
                   + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        out.append(f'<text x="{right + 12}" y="{points[-1][1] + 4:.1f}" fill="{colour}">{scale}x, {threads} '
                   f'thread{"s" * (threads > 1)}</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--program", default="build/kizunasr")
    ap.add_argument("--time", type=int, default=300, help="milliseconds for each figure")
    ap.add_argument("--svg")
    ap.add_argument("--json")
    o = ap.parse_args()
    rows = {}
    for size in SIZES:
        bench, rows[size] = measure(o.program, size, o.time)
    series = sorted(rows[SIZES[0]])
    print(f"{bench['processor']}, level {bench['level']}: milliseconds for a frame\n")
    print(table(rows, series))
    if o.svg:
        with open(o.svg, "w") as file:
            file.write(plot(rows, series, "All stages with default settings: time for a frame"))
    if o.json:
        with open(o.json, "w") as file:
            json.dump({"processor": bench["processor"], "level": bench["level"], "ms": {
                size: {f"{s}x{t}": ms for (s, t), ms in row.items()} for size, row in rows.items()}}, file, indent=1)


if __name__ == "__main__":
    main()
