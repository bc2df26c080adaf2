#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Beside a real Prometheus: plain expressions are answered by it, the others by both together, and
when it is gone nothing is taken for recovery."""

import os
import sys
import time
import urllib.parse

from harness import Lab, get_json, need, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))

PROMETHEUS = """
global: {scrape_interval: 1s, scrape_timeout: 900ms}
scrape_configs: [{job_name: mesh, file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]}]
"""

RULES = """
groups:
  - name: mixed
    interval: 1s
    rules:
      - record: mesh:targets
        expr: count(up)
      - alert: Mixed
        expr: mad_over_time(mesh:targets[10s]) >= 0 and on () sum(up) / mesh:targets > 0.1
"""

TOCSIN = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [{rules}]
prometheus: {{url: 'http://{prometheus}', timeout: 2s}}
"""

PLAIN = [
    "sum by (job) (up)",
    "rate(process_cpu_seconds_total[5s])",
    "count({__name__=~'.+'}) by (__name__)",
    "max_over_time(sum(up)[10s:1s])",
    "scalar(count(up))",
    "topk(3, up)",
]

# Evaluated in parts, with the same value as something plain.
SAME = [
    ("up and on () mesh:targets > 0", "up"),
    ("up * on () group_left () (mesh:targets / mesh:targets)", "up * 1"),
    ("sum(up) + 0 * scalar(mesh:targets)", "sum(up)"),
    ("max_over_time((sum(up) + 0 * scalar(mesh:targets))[5s:1s])", "max_over_time(sum(up)[5s:1s])"),
    ("count(first_over_time(up[5s]))", "count(last_over_time(up[5s]))"),
]


def ask(address, path, **params):
    return get_json(f"http://{address}/api/v1/{path}?" + urllib.parse.urlencode(params))["data"]


def by_labels(data):
    if isinstance(data["result"], list) and data["result"] and isinstance(data["result"][0], dict):
        return sorted(data["result"], key=lambda series: sorted(series["metric"].items()))
    return data["result"]


def compare(tocsin, prometheus, now):
    for query in PLAIN:
        got, wanted = (ask(side, "query", query=query, time=now) for side in (tocsin, prometheus))
        assert by_labels(got) == by_labels(wanted), (query, got, wanted)
    for query, same in SAME:
        got = ask(tocsin, "query", query=query, time=now)
        wanted = ask(prometheus, "query", query=same, time=now)
        assert by_labels(got) == by_labels(wanted) and wanted["result"], (query, got, wanted)
        window = {"start": now - 3, "end": now, "step": 1}
        got = ask(tocsin, "query_range", query=query, **window)
        wanted = ask(prometheus, "query_range", query=same, **window)
        assert by_labels(got) == by_labels(wanted) and wanted["result"], (query, got, wanted)


def compare_labels(tocsin, prometheus):
    names = set(ask(prometheus, "label/__name__/values"))
    assert names | {"mesh:targets", "ALERTS"} <= set(ask(tocsin, "label/__name__/values"))
    assert set(ask(prometheus, "labels")) | {"alertname"} <= set(ask(tocsin, "labels"))
    series = ask(tocsin, "series", **{"match[]": '{__name__=~"up|mesh:targets"}'})
    assert {s["__name__"] for s in series} == {"up", "mesh:targets"}, series


def firing(tocsin):
    return [a for a in ask(tocsin, "alerts")["alerts"] if a["state"] == "firing"]


def mixed_rule(tocsin):
    group = ask(tocsin, "rules")["groups"][0]
    return next(rule for rule in group["rules"] if rule["name"] == "Mixed")


def main(binary):
    need("prometheus")
    with Lab(binary) as lab:
        lab.start_mesh(os.path.join(HERE, "mesh.yaml"))
        prometheus = lab.start_prometheus(PROMETHEUS)
        rules = lab.write("rules.yaml", RULES)
        wait_until("there are targets", lambda: ask(prometheus, "query", query="up == 1")["result"])
        tocsin = lab.start_tocsin("tocsin", TOCSIN.format(rules=rules, prometheus=prometheus))
        wait_until("a rule over both places fires", lambda: firing(tocsin), 30)
        wait_until("what it recorded is old enough",
                   lambda: ask(tocsin, "query", query="count_over_time(mesh:targets[1m]) > 10")["result"], 30)
        compare(tocsin, prometheus, round(time.time()) - 1)
        compare_labels(tocsin, prometheus)
        print(f"{len(PLAIN) + 2 * len(SAME)} queries, the same answers in one place and in two")

        lab.stop(next(process for name, process, _ in lab.processes if name == "prometheus"))
        wait_until("the rule cannot be evaluated", lambda: mixed_rule(tocsin)["health"] == "err", 30)
        time.sleep(3)
        assert firing(tocsin), "an evaluation that fails was read as recovery"
        print("without the Prometheus: " + mixed_rule(tocsin)["lastError"])


if __name__ == "__main__":
    main(sys.argv[1])
