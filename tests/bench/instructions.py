#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many instructions the hot paths take, against the figures in instructions.json: a guard that
does not depend on how fast or how busy the machine is. More than a tenth above the figure fails.

instructions.py HOT_PATHS [--write]     --write: these are the figures from now on

The figures are those of a release build with Debian 12's g++; another compiler has others."""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import need  # noqa: E402

FIGURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.json")
ROOM = 1.10
COUNTED = {"first_page": "counted_scrape", "page": "counted_scrape",
           "evaluate": "counted_evaluation", "foreseen": "counted_evaluation", "churn": "counted_evaluation"}


def instructions(program, path):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                           f"--toggle-collect={COUNTED[path]}", program, path],
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def main(program, write=False):
    need("valgrind")
    figures = {}
    if os.path.exists(FIGURES):
        with open(FIGURES) as text:
            figures = json.load(text)
    worse = []
    for path in COUNTED:
        count = instructions(program, path)
        before = figures.get(path)
        ratio = count / before if before else None
        print(f"{path:12} {count:>14,} instructions" + (f", {ratio:.3f} of the figure" if ratio else ""))
        if write:
            figures[path] = count
        elif ratio is None or ratio > ROOM:
            worse.append(path)
    if write:
        with open(FIGURES, "w") as text:
            json.dump(figures, text, indent=2)
            text.write("\n")
    assert not worse, f"more than a tenth more than before, or without a figure: {', '.join(worse)}"


if __name__ == "__main__":
    main(sys.argv[1], "--write" in sys.argv[2:])
