# SPDX-License-Identifier: Apache-2.0
"""The mesh that side_by_side.py measures on: a tree of small deployments, each of which calls two
others, as that of `tocsin simulate --proxies`, and in it one fault for each alert of the rules."""

import json
import re
import urllib.error
import urllib.request

REPLICAS = 2
PER_NAMESPACE = 25
ERRORS_EVERY = 16
FAULTY = 5  # Deployments that a fault is on.
SPIKE_FACTOR = 10
FOREVER = "24h"


def workload_id(number):
    """Names are as long as real ones: a line of a page has about 440 bytes."""
    return f"storefront-production-emea-{number // PER_NAMESPACE}/checkout-backend-service-{number}"


def workload(number, replicas):
    space, name = workload_id(number).split("/")
    protocol = "grpc" if number % 4 == 3 else "http"
    return {"name": name, "namespace": space, "replicas": replicas, "service_account": name,
            "services": [{"name": name, "port": 8080, "protocol": protocol}]}


def call(caller, called):
    # Each status has a histogram of its own: only some callers see errors at rest, so that a page
    # has about 310 series.
    out = {"to": workload_id(called), "rate": 15, "client_errors": "0%",
           "server_errors": "0.05%" if caller is not None and caller % ERRORS_EVERY == 0 else "0%"}
    if caller is not None:
        out["from"] = workload_id(caller)
    return out


def is_called(number, workloads):
    """Every third is not, as workers and jobs are not, except those that faults are about."""
    return number % 3 != 0 or number >= workloads - FAULTY


def faults(workloads, spike_after):
    """One for each alert, on leaves of the tree; `spike_after` is in seconds."""
    def on(back, fault, **rest):
        return {"fault": fault, "workload": workload_id(workloads - back), "start": "1s",
                "end": FOREVER} | rest
    return [
        on(1, "slow", factor=100),
        on(2, "server_errors", ratio="30%"),
        on(3, "missed_refresh", remaining="20%"),
        on(4, "crash_loop", pods=1),
        on(5, "spike", factor=SPIKE_FACTOR, start=f"{int(spike_after)}s"),
        {"fault": "component_down", "component": "identity", "start": "1s", "end": FOREVER},
    ]


def mesh(proxies, spike_after):
    """The document, as JSON, which is YAML."""
    count = (proxies + REPLICAS - 1) // REPLICAS
    calls = [call(None, 0)]
    for i in range(count):
        calls += [call(i, n) for n in (2 * i + 1, 2 * i + 2) if n < count and is_called(n, count)]
    workloads = [workload(i, min(REPLICAS, proxies - i * REPLICAS)) for i in range(count)]
    return json.dumps({"linkerd": "2.20", "workloads": workloads, "calls": calls,
                       "faults": faults(count, spike_after)})


def count_pages(targets_file):
    """What is to be read: (targets, series, bytes). Asks for every page once."""
    with open(targets_file) as text:
        targets = json.load(text)
    series = size = 0
    for target in targets:
        url = f"http://{target['targets'][0]}{target['labels']['__metrics_path__']}"
        try:
            with urllib.request.urlopen(url, timeout=20) as response:
                page = response.read()
        except urllib.error.HTTPError:  # A fault: this page is not served.
            continue
        series += len(re.findall(rb"^[^#\n]", page, re.M))
        size += len(page)
    return len(targets), series, size
