#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same faults seen three ways: scraping the mesh, federating a Prometheus, querying that
Prometheus. The same alerts must be in a real Alertmanager each time, in time, and end again."""

import os
import sys
import time
from datetime import datetime

from harness import Lab, active_alerts, get_json, need, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
MODES = ("scrape", "federate", "query")
SCRAPE_SECONDS = 1
EVALUATION_SECONDS = 1

GLOBAL = """
global:
  scrape_interval: {scrape}s
  scrape_timeout: 900ms
  evaluation_interval: {evaluation}s
  external_labels: {{mode: {mode}}}
rule_files: [{rules}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
"""

SOURCES = {
    "scrape": "scrape_configs: [{{job_name: mesh, file_sd_configs: [{{files: [targets.json]}}]}}]",
    "federate": "scrape_configs: [{{job_name: federate, metrics_path: /federate, honor_labels: true, "
    "static_configs: [{{targets: ['{prometheus}']}}]}}]",
    "query": "prometheus: {{url: 'http://{prometheus}'}}",
}

PROMETHEUS = """
global: {scrape_interval: 1s, scrape_timeout: 900ms}
scrape_configs: [{job_name: mesh, file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]}]
"""

EXPECTED = {
    ("IdentityDown", "", "", "identity"),
    ("SuccessRateLow", "shop", "api", ""),
}


def identity(alert):
    labels = alert["labels"]
    return tuple(labels.get(name, "") for name in ("alertname", "namespace", "deployment", "component"))


def alerts_of(alertmanager, mode):
    return {identity(a): a for a in active_alerts(alertmanager) if a["labels"]["mode"] == mode}


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def main(tocsin):
    need("prometheus", "prometheus-alertmanager")
    with Lab(tocsin) as lab:
        alertmanager = lab.start_alertmanager()
        mesh = lab.start_mesh(os.path.join(HERE, "mesh.yaml"))
        prometheus = lab.start_prometheus(PROMETHEUS)
        for mode in MODES:
            names = {
                "scrape": SCRAPE_SECONDS,
                "evaluation": EVALUATION_SECONDS,
                "mode": mode,
                "rules": os.path.join(HERE, "rules.yaml"),
                "alertmanager": alertmanager,
                "prometheus": prometheus,
            }
            lab.start_tocsin("tocsin-" + mode, (GLOBAL + SOURCES[mode]).format(**names))

        first_seen = {}

        def all_fire():
            for mode in MODES:
                for name, alert in alerts_of(alertmanager, mode).items():
                    first_seen.setdefault((mode, name), alert)
            return all((mode, name) in first_seen for mode in MODES for name in EXPECTED)

        fault_start = wait_until("the faults have begun", lambda: begun(mesh), 60)
        wait_until("each way the same alerts are in Alertmanager", all_fire, 60, pause=0.02)
        seen = {mode: {name for m, name in first_seen if m == mode} for mode in MODES}
        assert all(seen[mode] == EXPECTED for mode in MODES), seen

        detected = seconds(first_seen["scrape", ("IdentityDown", "", "", "identity")]["updatedAt"])
        took = detected - fault_start
        limit = SCRAPE_SECONDS + EVALUATION_SECONDS + 0.1
        print(f"a fault that a rule without `for` sees: in Alertmanager after {took:.2f} s, at most {limit:.1f} s")
        assert took <= limit, took

        for alert in first_seen.values():
            assert alert["annotations"]["summary"], alert
            assert alert["generatorURL"].startswith("http"), alert
        wait_until("the alerts are over", lambda: not active_alerts(alertmanager), 90, pause=0.2)
        print("three ways, the same alerts: " + ", ".join(sorted(name[0] for name in EXPECTED)))


def begun(mesh):
    """When the first fault of the running mesh began, in seconds since 1970; None before."""
    faults = get_json(f"http://{mesh}/faults")
    active = [f for f in faults["active"] if f["fault"] == "component_down"]
    return time.time() if active else None


if __name__ == "__main__":
    main(sys.argv[1])
