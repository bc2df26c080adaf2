#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast queries are answered, beside a Prometheus with the same data in the same run.

    tests/bench/query_speed.py build/release/tocsin build/release/tests/bench/mesh_load

Both are filled by remote write with the last 70 minutes of 1,000 proxies of 310 series each, and are
asked the same questions in turn, through the HTTP API. The answers must be the same. Prints a table:
the first answer, and the median of the following ones, in milliseconds, once by the clock and once
in what the server used of a core, which other work on the machine does not disturb."""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
from harness import Lab, need  # noqa: E402

MINUTES = 70
RANGE_SECONDS = 3600
RANGE_STEP = 15
TOLERANCE = 1e-9
ASK_TIMEOUT = 600

INBOUND = 'direction="inbound"'
BY = "by (namespace, deployment)"
SUCCESS = (f'sum {BY} (rate(response_total{{{INBOUND},classification="success"}}[5m]))'
           f" / sum {BY} (rate(response_total{{{INBOUND}}}[5m]))")
P99 = ("histogram_quantile(0.99, sum by (namespace, deployment, le) "
       f"(rate(response_latency_ms_bucket{{{INBOUND}}}[5m])))")
ROUTES = f"sum by (route_name) (rate(request_total{{{INBOUND}}}[5m]))"
TOPK = f"topk(10, sum by (namespace, pod) (rate(request_total{{{INBOUND}}}[5m])))"
FLOOR = f"({SUCCESS}) < 0.985 and sum {BY} (rate(request_total{{{INBOUND}}}[5m])) > 10"
HOUR_AGO = (f"sum {BY} (rate(request_total{{{INBOUND}}}[5m])) / "
            f"sum {BY} (rate(request_total{{{INBOUND}}}[5m] offset 1h))")

INSTANT = [("success ratio per deployment", SUCCESS), ("p99 per deployment", P99),
           ("rate by route", ROUTES), ("topk of pods", TOPK), ("success below a floor", FLOOR),
           ("rate against an hour ago", HOUR_AGO)]
RANGE = [("success ratio per deployment", SUCCESS), ("p99 per deployment", P99),
         ("rate by route", ROUTES), ("topk of pods", TOPK), ("success below a floor", FLOOR)]

# The rule only says that the last two hours are to be kept; it is evaluated once an hour.
RULES = """
groups:
  - name: keep
    interval: 1h
    rules:
      - record: kept
        expr: count(request_total offset 100m) or count(response_total offset 100m) or
              count(response_latency_ms_bucket offset 100m)
"""
TOCSIN = """
rule_files: [rules.yaml]
remote_write_receiver: {enabled: true}
"""


def ask(server, path, form):
    """The seconds until the last byte of the answer, and the answer."""
    body = urllib.parse.urlencode(form).encode()
    start = time.perf_counter()
    with urllib.request.urlopen(f"http://{server}{path}", body, ASK_TIMEOUT) as response:
        text = response.read()
    took = time.perf_counter() - start
    answer = json.loads(text)
    assert answer["status"] == "success", answer
    return took, answer["data"]["result"]


def points(result):
    """Every point of an answer: (labels, time) → value."""
    out = {}
    for element in result:
        labels = tuple(sorted(element["metric"].items()))
        for at, value in element.get("values") or [element["value"]]:
            out[labels, float(at)] = float(value)
    return out


def check_same(name, ours, theirs):
    a, b = points(ours), points(theirs)
    assert a.keys() == b.keys(), (name, len(a), len(b), list(a.keys() ^ b.keys())[:4])
    for key, value in a.items():
        same = math.isclose(value, b[key], rel_tol=TOLERANCE) or (math.isnan(value) and math.isnan(b[key]))
        assert same, (name, key, value, b[key])
    return len(a)


def core_seconds(process_id):
    """How long the threads of a process have run."""
    total = 0
    for task in os.listdir(f"/proc/{process_id}/task"):
        with open(f"/proc/{process_id}/task/{task}/schedstat") as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


class Server:
    def __init__(self, address, process_id):
        self.address, self.process_id = address, process_id
        self.first, self.times, self.core = 0, [], []

    def ask(self, path, form):
        before = core_seconds(self.process_id)
        took, answer = ask(self.address, path, form)
        self.times.append(took * 1e3)
        self.core.append((core_seconds(self.process_id) - before) * 1e3)
        return answer

    def forget_times(self):
        self.first = self.times[0]
        self.times, self.core = [], []


HEADER = """\
|         |                              |        | Prometheus, ms                  | Tocsin, ms                   | times faster        |
| kind    | query                        | points | first     | median    | core    | first    | median   | core   | first | median | core |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"""


class Bench:
    def __init__(self, tocsin, prometheus, end):
        self.tocsin, self.prometheus, self.end = tocsin, prometheus, end
        self.least = {}

    def form(self, kind, query):
        form = {"query": query, "timeout": f"{ASK_TIMEOUT}s"}
        if kind == "instant":
            return "/api/v1/query", form | {"time": self.end}
        return "/api/v1/query_range", form | {"start": self.end - RANGE_SECONDS, "end": self.end,
                                              "step": RANGE_STEP}

    def compare(self, kind, name, query, repeats):
        path, form = self.form(kind, query)
        theirs, ours = Server(*self.prometheus), Server(*self.tocsin)
        count = check_same(name, ours.ask(path, form), theirs.ask(path, form))
        ours.forget_times()
        theirs.forget_times()
        for _ in range(repeats):
            ours.ask(path, form)
            theirs.ask(path, form)
        medians = [(statistics.median(s.times), statistics.median(s.core)) for s in (theirs, ours)]
        (their_time, their_core), (our_time, our_core) = medians
        least = self.least.setdefault(kind, [math.inf, math.inf])
        self.least[kind] = [min(least[0], their_time / our_time), min(least[1], their_core / our_core)]
        print(f"| {kind:7} | {name:28} | {count:6} | {theirs.first:9.1f} | {their_time:9.1f} | {their_core:7.0f} | "
              f"{ours.first:8.2f} | {our_time:8.2f} | {our_core:6.1f} | {theirs.first / ours.first:5.1f} | "
              f"{their_time / our_time:6.1f} | {their_core / our_core:4.1f} |", flush=True)

    def run(self, args):
        print(HEADER)
        for name, query in INSTANT:
            self.compare("instant", name, query, args.repeats)
        for name, query in RANGE:
            self.compare("range", name, query, args.range_repeats)
        for kind, (time_ratio, core_ratio) in self.least.items():
            print(f"least ratio, {kind}: {time_ratio:.1f} by the clock, {core_ratio:.1f} in time of a core")


def memory_of(process):
    with open(f"/proc/{process.pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0


def fill(args, lab, prometheus, tocsin, end):
    start = time.monotonic()
    out = subprocess.run([args.loader, "--end", str(end), "--minutes", str(MINUTES), "--pods",
                          str(args.pods), "--step", str(args.step),
                          "--url", f"http://{prometheus}/api/v1/write",
                          "--url", f"http://{tocsin}/api/v1/write"],
                         check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    sizes = ", ".join(f"{name} {memory_of(process):,.0f} MB" for name, process, _ in lab.processes)
    print(f"{out} in {time.monotonic() - start:.0f} s, every {args.step} s; resident: {sizes}\n", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tocsin")
    parser.add_argument("loader")
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--step", type=int, default=15)
    parser.add_argument("--repeats", type=int, default=11, help="of instant queries")
    parser.add_argument("--range-repeats", type=int, default=3)
    parser.add_argument("--hold", type=float, default=0, help="seconds to stay up at the end")
    args = parser.parse_args()
    need("prometheus")
    with Lab(args.tocsin) as lab:
        prometheus = lab.start_prometheus("scrape_configs: []\n", "--log.level=warn",
                                          "--web.enable-remote-write-receiver",
                                          "--query.max-samples=1000000000",
                                          f"--query.timeout={ASK_TIMEOUT}s")
        lab.write("rules.yaml", RULES)
        tocsin = lab.start_tocsin("tocsin", TOCSIN)
        end = int(time.time()) // 60 * 60
        series = args.pods * 310
        print(f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, {series:,} series, {MINUTES} minutes")
        fill(args, lab, prometheus, tocsin, end)
        ids = {name: process.pid for name, process, _ in lab.processes}
        Bench((tocsin, ids["tocsin"]), (prometheus, ids["prometheus"]), end).run(args)
        if args.hold:
            print(f"tocsin {tocsin}, prometheus {prometheus}, end {end}", flush=True)
            time.sleep(args.hold)


if __name__ == "__main__":
    main()
