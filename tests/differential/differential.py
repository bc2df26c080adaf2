#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our PromQL beside that of a real Prometheus (2.42 of Debian): the same values for random
expressions over random series, and the same canonical text.

    differential.py build/release/tests/differential/differential --count 10000 --seeds 1 2 3
"""

import argparse
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
from harness import Lab, get_json, need  # noqa: E402

TEXTS = 300


def without_spaces(text):
    """2.42 has no space before the labels of a clause, 3 has."""
    return re.sub(r"\b(by|without|on|ignoring|group_left|group_right) \(", r"\1(", text)


def texts_of(program, seed):
    lines = subprocess.run([program, "--texts", "--seed", str(seed), "--count", str(TEXTS)],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def start_prometheus(lab, texts):
    """Each text is a recording rule: the rules' API shows it as Prometheus prints it. They are
    evaluated once a year."""
    rules = [{"record": f"text_{i}", "expr": text["expr"]} for i, text in enumerate(texts)]
    groups = {"groups": [{"name": "texts", "interval": "1y", "rules": rules}]}
    lab.write("rules.json", json.dumps(groups))
    address = lab.start_prometheus("rule_files: [rules.json]\n", "--log.level=warn",
                                   "--storage.tsdb.retention.time=100y",
                                   "--web.enable-remote-write-receiver")
    return "http://" + address


def count_other_texts(prometheus, texts):
    groups = get_json(prometheus + "/api/v1/rules")["data"]["groups"]
    printed = [rule["query"] for group in groups for rule in group["rules"]]
    assert len(printed) == len(texts), (len(printed), len(texts))
    others = 0
    for theirs, text in zip(printed, texts):
        if without_spaces(theirs) == without_spaces(text["printed"]):
            continue
        if "ignoring () group_" in text["printed"] or "Inf ^" in text["printed"]:
            continue  # What 2.42 prints here reads back as another expression.
        others += 1
        print(f"PRINTED OTHERWISE: {text['expr']}\n ours:       {text['printed']}\n Prometheus: {theirs}")
    return others


def run_seed(program, seed, count):
    with Lab(program) as lab:
        texts = texts_of(program, seed)
        prometheus = start_prometheus(lab, texts)
        others = count_other_texts(prometheus, texts)
        print(f"seed {seed}: {len(texts)} texts, {others} printed otherwise", flush=True)
        done = subprocess.run([program, "--prometheus", prometheus, "--seed", str(seed),
                               "--count", str(count)])
        return others == 0 and done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    args = parser.parse_args()
    need("prometheus")
    good = [run_seed(os.path.abspath(args.program), seed, args.count) for seed in args.seeds]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
