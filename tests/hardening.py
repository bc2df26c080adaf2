#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether compiler and linker have hardened a release build: hardening.py PROGRAM"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "e2e"))
from harness import need  # noqa: E402


def main(program):
    need("readelf")
    header, segments, dynamic, symbols = (
        subprocess.run(["readelf", "--wide", what, program], capture_output=True, text=True,
                       check=True).stdout
        for what in ("--file-header", "--segments", "--dynamic", "--dyn-syms"))
    stack = next(line for line in segments.splitlines() if "GNU_STACK" in line).split()
    checked = [line for line in symbols.splitlines() if "_chk@" in line]
    found = {
        "position-independent": "Position-Independent Executable" in header,
        "relocations are read-only": "GNU_RELRO" in segments,
        "everything is bound at start": "BIND_NOW" in dynamic or " NOW" in dynamic,
        "no stack to execute": stack[6] == "RW",
        "stack protector": "__stack_chk_fail@" in symbols,
        "checked library calls": bool(checked),
    }
    for what, is_there in found.items():
        print(f"{'yes' if is_there else 'NO '} {what}")
    assert all(found.values()), "not hardened"


if __name__ == "__main__":
    main(sys.argv[1])
