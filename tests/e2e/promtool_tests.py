#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`tocsin test` beside the real promtool: the same verdict on the same files, and how long a
thousand of them take.

    promtool_tests.py TOCSIN [COUNT]
"""

import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOCSIN = sys.argv[1]
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 200
ROUNDS = 3
# How many times less of the processor than promtool: 20 is promised, for a thousand files.
LEAST = 20

RULES = """\
groups:
  - name: golden
    rules:
      - record: deployment:response:rate5m
        expr: sum by (deployment, classification) (rate(response_total{direction="inbound"}[5m]))
      - alert: SuccessRateLow
        expr: |
          deployment:response:rate5m{classification="failure"}
            / ignoring (classification) sum without (classification) (deployment:response:rate5m)
            > 0.05
        for: 2m
        labels: {severity: page}
        annotations: {summary: '{{ $labels.deployment }} fails {{ $value | humanizePercentage }}'}
"""

# A part that fits, and parts that do not.
TEST = """\
rule_files: [{files}]
evaluation_interval: {interval}
tests:
  - interval: 1m
    name: number {number}
    input_series:{before}
      - series: 'response_total{{direction="inbound",deployment="web",classification="success"}}'
        values: 0+540x20
      - series: 'response_total{{direction="inbound",deployment="web",classification="failure"}}'
        values: 0+60x20{behind}
    alert_rule_test:
      - eval_time: {when}
        alertname: SuccessRateLow
        exp_alerts:
          - exp_labels: {{severity: {severity}, deployment: web}}
            exp_annotations: {{summary: {summary}}}
    promql_expr_test:
      - expr: {expr}
        eval_time: 10m
        exp_samples: [{{labels: '{{}}', value: {value}}}]
"""
GOOD = {"when": "10m", "severity": "page", "summary": "web fails 10%",
        "expr": 'sum(rate(response_total[5m]))', "value": 10,
        "files": "rules.yml", "interval": "1m", "before": "", "behind": ""}
BAD = [{"when": "1m"}, {"severity": "ticket"}, {"summary": "web fails"}, {"value": 11},
       {"expr": "sum(rate(response_total[5m])"}, {"expr": "nothing_at_all"}, {"when": "now"}]
# Of a series that is given twice the second counts, and no interval is the usual one.
FAILURES = """
      - series: 'response_total{direction="inbound",classification="failure",deployment="web"}'
        values: VALUES"""
FITTING = [{"before": FAILURES.replace("VALUES", "7x20")}, {"interval": "0s"}, {"files": "rules.yml, 'gone*.yml'"}]
BAD += [{"behind": FAILURES.replace("VALUES", "7x20")}, {"behind": FAILURES.replace("VALUES", "_x18 7 8")},
        {"interval": "-1m"}]
# promtool passes over a file that is not there.
STRICTER = [{"files": "rules.yml, gone.yml"}]
# Numbers as YAML writes them, and texts that are none.
NUMBERS = [{"value": value} for value in (
    "0xa", "0Xa", "0b1010", "0o12", "012", "+10", "10.", "1_0", "1__0_", "1e1", "1.0e+1", "100E-1")]
NUMBERS += [{"expr": f"'{expr}'", "value": value} for expr, value in (
    ("vector(1) / 0", ".inf"), ("vector(1) / 0", "+.Inf"), ("vector(-1) / 0", "-.INF"),
    ("vector(8)", "08"), ("vector(-1)", "-0x1"), ("vector(.5)", ".5"))]
NO_NUMBERS = [{"value": value} for value in ("'10'", "_10", "0xg", "10m", "0x1p0", "1e", "true")]
NO_NUMBERS += [{"expr": "vector(1) / 0", "value": value} for value in ("Inf", "inf", ".iNF")]
NO_NUMBERS += [{"expr": "vector(0) / 0", "value": value} for value in ("NaN", "+.nan")]


def promtool(*arguments, cwd):
    return subprocess.run(["promtool", "test", "rules", *arguments], cwd=cwd, timeout=600,
                          capture_output=True, text=True)


def tocsin(*arguments, cwd):
    return subprocess.run([TOCSIN, "test", *arguments], cwd=cwd, timeout=600,
                          capture_output=True, text=True)


def compare_verdicts(folder):
    """The same files, each alone: both say yes, or both say no."""
    good = [{}] + NUMBERS + FITTING
    changes = good + BAD + NO_NUMBERS
    for number, change in enumerate(changes + STRICTER):
        file = folder / f"verdict{number}.yml"
        file.write_text(TEST.format(number=number, **{**GOOD, **change}))
        theirs = promtool(file.name, cwd=folder)
        ours = tocsin(file.name, cwd=folder)
        verdicts = (theirs.returncode == 0, ours.returncode == 0)
        assert verdicts == (change in good or change in STRICTER, change in good), (
            change, theirs.stdout + theirs.stderr, ours.stdout + ours.stderr)
    print(f"{len(changes)} files, the same verdicts")


def seconds_of(run, names, folder):
    """Of the processor, and by the clock."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = run(*names, cwd=folder)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


def compare_speed(folder):
    names = []
    for number in range(COUNT):
        name = f"many{number}.yml"
        (folder / name).write_text(TEST.format(number=number, **GOOD))
        names.append(name)
    rounds = [(seconds_of(promtool, names, folder), seconds_of(tocsin, names, folder)) for _ in range(ROUNDS)]
    processor, clock = (statistics.median(theirs[kind] / ours[kind] for theirs, ours in rounds) for kind in (0, 1))
    (_, their_wall), (_, our_wall) = rounds[-1]
    print(f"{COUNT} files: promtool {their_wall:.2f} s, tocsin {our_wall:.2f} s; in the median of {ROUNDS} rounds"
          f" {processor:.1f} times less of the processor, {clock:.1f} times as fast by the clock")
    # What others do on the machine takes time by the clock from both; of the processor it takes little.
    assert processor > LEAST, processor


def main():
    if shutil.which("promtool") is None:
        print("skipped: promtool is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "rules.yml").write_text(RULES)
        compare_verdicts(folder)
        compare_speed(folder)


if __name__ == "__main__":
    main()
