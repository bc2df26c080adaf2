#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a replay of a week takes: a mesh of 1,000 workloads, scraped every 15 s, under the shipped
rules. An hour of the mesh is simulated, in which one workload fails and another is slow; the week is
that hour 168 times, one after the other (stretch_archive). The replay has to find each fault each
time, and nothing else.

    replay_week.py build/release/tocsin build/release/tests/bench/stretch_archive [--hours 24] [--interval 1m]
"""

import argparse
import collections
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = os.path.join(HERE, "..", "..", "rules", "linkerd", "*.yaml")
WEEK = 168
# Seconds of processor time that a week may take, evaluated every 15 s. How long it takes by the clock depends
# on what else the machine does; on two cores for itself it is two thirds of that.
LIMIT = 200


def workload_id(number):
    return f"production-emea-{number // 25}/checkout-backend-{number}"


def mesh(count):
    """A tree of workloads of one pod each; each calls two others, as far as there are any."""
    workloads = []
    calls = [{"to": workload_id(0), "rate": 15, "client_errors": "0%", "server_errors": "0%"}]
    for n in range(count):
        space, name = workload_id(n).split("/")
        workloads.append({"name": name, "namespace": space, "replicas": 1, "service_account": name,
                          "services": [{"name": name, "port": 8080, "protocol": "grpc" if n % 4 == 3 else "http"}]})
        calls += [{"from": workload_id(n), "to": workload_id(c), "rate": 15, "client_errors": "0%",
                   "server_errors": "0.05%" if n % 4 == 0 else "0%"} for c in (2 * n + 1, 2 * n + 2) if c < count]
    faults = [{"fault": "server_errors", "workload": workload_id(count - 2), "start": "20m", "end": "30m", "ratio": "30%"},
              {"fault": "slow", "workload": workload_id(count - 1), "start": "35m", "end": "45m", "factor": 100}]
    return json.dumps({"linkerd": "2.20", "workloads": workloads, "calls": calls, "faults": faults})


def size_of(folder):
    return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))


def replayed(tocsin, data, interval):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run([tocsin, "replay", "--rules", RULES, "--data", data, "--interval", interval,
                           "--output", "json"], capture_output=True, text=True)
    took = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), took, cpu, after.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tocsin")
    parser.add_argument("stretch_archive")
    parser.add_argument("--workloads", type=int, default=1000)
    parser.add_argument("--hours", type=int, default=WEEK, help="how much is replayed; the limit is in proportion")
    parser.add_argument("--interval", default="15s", help="how often rules are evaluated")
    parser.add_argument("--hour", help="an hour that was recorded before")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tocsin-week-") as folder:
        hour = options.hour or os.path.join(folder, "hour")
        if not options.hour:
            path = os.path.join(folder, "mesh.yaml")
            with open(path, "w") as text:
                text.write(mesh(options.workloads))
            subprocess.run([options.tocsin, "simulate", "--mesh", path, "--record", hour, "--for", "1h", "--interval", "15s",
                            "--rules", RULES], check=True)
        week = os.path.join(folder, "week")
        subprocess.run([options.stretch_archive, hour, week, str(options.hours)], check=True)
        answer, took, cpu, resident = replayed(options.tocsin, week, options.interval)
        found = collections.Counter(a["labels"]["alertname"] for a in answer["alerts"])
        wanted = {"SuccessRateLow": options.hours, "RouteLatencyHigh": options.hours}
        print(f"{options.workloads} workloads, {options.hours} h, evaluated every {options.interval}: archive {size_of(week) / 2**20:.0f} MiB, "
              f"replayed in {took:.1f} s ({cpu:.1f} s of CPU, {resident:.0f} MiB): "
              f"a week in {took * WEEK / options.hours:.0f} s; {dict(found)}")
        assert found == wanted, (found, wanted)
        limit = LIMIT * options.hours / WEEK
        if cpu > limit:
            sys.exit(f"it may take {limit:.0f} s of CPU")


if __name__ == "__main__":
    main()
