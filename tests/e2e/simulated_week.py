#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A week in the life of a mesh: forty-two faults of fourteen kinds, one every four hours, some of which must
wake nobody. A replay of it under the shipped rules finds each of the others, while it lasts, and nothing
else: one alert for each, or for each caller of a service that refuses connections.

    simulated_week.py build/release/tocsin [seed]
"""

import datetime
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
RULES = os.path.join(ROOT, "rules", "linkerd", "*.yaml")
BEGIN = datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone.utc)
WEEK = 168 * 60  # Minutes, as everything here.
SLOT = 4 * 60
REACTION = 6   # The longest `for`, and what rules look back at before they are sure.
RECOVERY = 20  # Longer than any rule holds on.
CALLERS = {"shop/ledger": 2}  # Of TCP services.

# The fault, how long it lasts, and the alert that it makes: of the demo's mesh, and of that of faults.py,
# whose namespace is another here.
FAULTS = [
    ({"fault": "crash_loop", "workload": "shop/cart", "pods": 1}, 4, "ProxyCrashLoop"),
    ({"fault": "server_errors", "workload": "booksapp/authors", "ratio": "30%"}, 5, "SuccessRateLow"),
    ({"fault": "slow", "workload": "booksapp/books", "route": "book-by-id", "factor": 60}, 5, "RouteLatencyHigh"),
    ({"fault": "component_down", "component": "identity"}, 3, "ControlPlaneDown"),
    ({"fault": "tcp_errors", "workload": "shop/ledger", "ratio": "40%"}, 5, "TcpConnectionErrors"),
    ({"fault": "missed_refresh", "workload": "emojivoto/voting", "remaining": "25%"}, 5, "LeafCertificateNotRenewed"),
    ({"fault": "spike", "workload": "emojivoto/web", "factor": 6}, 5, "TrafficSpike"),
    ({"fault": "scale_to_zero", "workload": "store/cart"}, 5, "ServiceSuccessRateLow"),
    ({"fault": "hang", "workload": "store/stock", "ratio": "60%"}, 6, "RequestsHanging"),
    ({"fault": "drop", "workload": "store/search", "factor": 0.1}, 9, "TrafficDrop"),
    ({"fault": "client_errors", "workload": "emojivoto/emoji", "ratio": "40%"}, 3, None),
    ({"fault": "rollout", "workload": "booksapp/webapp"}, 1, None),
    ({"fault": "rollout", "workload": "store/search"}, 2, None),
    ({"fault": "scrape_gap", "workload": "store/users"}, 2, None),
]


def read_mesh(path):
    with open(path) as text:
        return yaml.safe_load(text)


def moved(part, old, new):
    """The same in another namespace."""
    return json.loads(json.dumps(part).replace(f'"{old}/', f'"{new}/').replace(f'"namespace": "{old}"', f'"namespace": "{new}"'))


def schedule(seed):
    """When each fault begins, how long it lasts, and what comes of it; one a slot, in any order."""
    dice = random.Random(seed)
    faults = FAULTS * (WEEK // SLOT // len(FAULTS))
    dice.shuffle(faults)
    return [(slot * SLOT + dice.randint(60, 150), *fault) for slot, fault in enumerate(faults)]


def week_of(plan):
    mesh = read_mesh(os.path.join(ROOT, "examples", "meshes", "demo.yaml"))
    other = moved(read_mesh(os.path.join(HERE, "faults.yaml")), "shop", "store")
    mesh["workloads"] += other["workloads"]
    mesh["calls"] += other["calls"]
    mesh["faults"] = [{**fault, "start": f"{start}m", "end": f"{start + lasts}m"} for start, fault, lasts, _ in plan]
    return json.dumps(mesh)


def minutes(moment):
    return (datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")) - BEGIN).total_seconds() / 60


def place_of(fault):
    return fault["workload"].split("/")[0] if "workload" in fault else ""


def compare(plan, alerts):
    """Every fault's alerts are taken once; what is left over either way is an error."""
    alerts = list(alerts)
    missing = []
    for start, fault, lasts, name in plan:
        if name is None:
            continue
        its_own = [a for a in alerts if a["labels"]["alertname"] == name
                   and a["labels"].get("namespace", "") == place_of(fault)
                   and start <= minutes(a["firedAt"]) <= start + lasts + REACTION
                   and minutes(a["resolvedAt"]) <= start + lasts + RECOVERY]
        wanted = CALLERS.get(fault.get("workload"), 1) if name.startswith("Tcp") else 1
        if len(its_own) < wanted:
            missing.append((start, fault))
        for alert in its_own[:wanted]:
            alerts.remove(alert)
    assert not missing and not alerts, f"not found: {missing}\nnot injected: {alerts}"


def run(*command):
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout, time.monotonic() - began


def main(tocsin, seed=1):
    plan = schedule(seed)
    with tempfile.TemporaryDirectory(prefix="tocsin-week-") as folder:
        mesh, data = os.path.join(folder, "mesh.yaml"), os.path.join(folder, "data")
        with open(mesh, "w") as text:
            text.write(week_of(plan))
        _, simulated = run(tocsin, "simulate", "--mesh", mesh, "--record", data, "--for", f"{WEEK // 60}h", "--rules", RULES)
        answer, replayed = run(tocsin, "replay", "--rules", RULES, "--data", data, "--interval", "15s", "--output", "json")
    alerts = json.loads(answer)["alerts"]
    print(f"seed {seed}: a week of {len(plan)} faults, {sum(name is not None for *_, name in plan)} of which must page: "
          f"{len(alerts)} alerts; simulated in {simulated:.0f} s, replayed in {replayed:.0f} s")
    compare(plan, alerts)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), *map(int, sys.argv[2:]))
