#!/usr/bin/env python3
"""Draws bench/latency.svg out of the JSON that `bytecnn_bench --table --json` wrote, by gnuplot.

usage: plot_latency.py RESULTS.json OUTPUT.svg

One panel a model: microseconds a text over its length, both logarithmic, every contender a line.
"""

import json
import math
import subprocess
import sys

COLUMNS = 2
KIND = "english"
# This engine in one colour, from the fastest instruction set to the slowest; the others each in their own.
ENGINE_DASHES = {"avx512": 1, "avx2": 2, "sse2": 3, "neon64": 1}
PEER_COLOURS = {
    "libtorch eager": "#d62728",
    "libtorch TorchScript": "#ff7f0e",
    "registers direct": "#2ca02c",
    "plain direct": "#7f7f7f",
}


def style_of(contender):
    if " batches" in contender:
        return f"lt 1 dt {2 if 'threads' in contender else 1} lw 2 pt 5 ps 0.4 lc rgb '#17becf'"
    if contender.startswith("bytecnn "):
        dash = ENGINE_DASHES.get(contender.split()[1], 4)
        return f"lt 1 dt {dash} lw 2 pt 7 ps 0.5 lc rgb '#1f4fb4'"
    return f"lt 1 dt 1 lw 1.5 pt 7 ps 0.4 lc rgb '{PEER_COLOURS.get(contender, '#000000')}'"


def lines_of(results, model):
    """{contender: [(length, microseconds)]} in the order of the contenders."""
    lines = {}
    for cell in results["cells"]:
        if cell["model"] == model and cell["kind"] == KIND:
            for timing in cell["contenders"]:
                lines.setdefault(timing["name"], []).append((cell["length"], timing["median_ns"] / 1000))
    return lines


def gnuplot_script(results, output):
    panels = [(model, lines_of(results, model)) for model in results["models"]]
    panels = [(model, lines) for model, lines in panels if lines]
    if not panels:
        sys.exit(f"plot_latency: error: no results on {KIND} texts")
    rows = math.ceil((len(panels) + 1) / COLUMNS)
    script = [
        f"set terminal svg size {440 * COLUMNS},{310 * rows} font 'sans-serif,12' background rgb 'white'",
        f"set output {output!r}",
        f"set multiplot layout {rows},{COLUMNS}",
        "set logscale x 2",
        "set logscale y 10",
        "set grid xtics ytics lc rgb '#dddddd'",
        "set xlabel 'bytes a text'",
        "set ylabel 'us a text'",
        "set format y '%g'",
        "set key off",
    ]
    for model, lines in panels:
        lengths = sorted({length for points in lines.values() for length, _ in points})
        ticks = ", ".join(str(length) for length in lengths)
        script += [f"set title '{model}' noenhanced", f"set xtics ({ticks})"]
        script += [f"set xrange [{0.8 * lengths[0]}:{1.25 * lengths[-1]}]", "set autoscale y"]
        plots = [f"'-' with linespoints {style_of(name)} title '{name}'" for name in lines]
        script.append("plot " + ", ".join(plots))
        for points in lines.values():
            script += [f"{length} {microseconds:.6g}" for length, microseconds in sorted(points)] + ["e"]
    # The last panel holds the key alone.
    names = list(panels[0][1])
    script += ["unset title", "unset xlabel", "unset ylabel", "unset tics", "unset border", "unset logscale"]
    script += ["set key center center vertical maxrows 12 noenhanced", "set xrange [0:1]", "set yrange [0:1]"]
    script.append("plot " + ", ".join(f"-1 with linespoints {style_of(name)} title '{name}'" for name in names))
    script.append("unset multiplot")
    return "\n".join(script) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        results = json.load(file)
    subprocess.run(["gnuplot"], input=gnuplot_script(results, sys.argv[2]), text=True, check=True)


if __name__ == "__main__":
    main()
