#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes a mesh and writes to Tocsin: the rules fire there as if it scraped itself,
and what it keeps is what that Prometheus has."""

import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from harness import Lab, active_alerts, get, get_json, need, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))

PROMETHEUS = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms}}
scrape_configs: [{{job_name: mesh, file_sd_configs: [{{files: [targets.json], refresh_interval: 1s}}]}}]
remote_write: [{{url: 'http://{tocsin}/api/v1/write', queue_config: {{batch_send_deadline: 200ms}}}}]
"""

TOCSIN = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
remote_write_receiver: {{enabled: {enabled}}}
keep: [response_total]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
"""

EXPECTED = {("IdentityDown", ""), ("SuccessRateLow", "api")}

SAME = [
    "sum by (deployment) (rate(response_total[10s]))",
    "count by (deployment, direction) (response_total)",
    "sum by (classification) (increase(response_total[20s]))",
]


def ask(address, query, at):
    params = urllib.parse.urlencode({"query": query, "time": at})
    result = get_json(f"http://{address}/api/v1/query?{params}")["data"]["result"]
    return {tuple(sorted(s["metric"].items())): float(s["value"][1]) for s in result}


def is_same(a, b):
    return a.keys() == b.keys() and all(abs(a[k] - b[k]) <= 1e-9 * max(abs(a[k]), abs(b[k])) for k in a)


def alerts(alertmanager):
    return {(a["labels"]["alertname"], a["labels"].get("deployment", "")) for a in active_alerts(alertmanager)}


def status_of(address, body):
    request = urllib.request.Request(f"http://{address}/api/v1/write", body)
    request.add_header("Content-Type", "application/x-protobuf")
    request.add_header("Content-Encoding", "snappy")
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def main(binary):
    need("prometheus", "prometheus-alertmanager")
    with Lab(binary) as lab:
        alertmanager = lab.start_alertmanager()
        names = {"rules": os.path.join(HERE, "rules.yaml"), "alertmanager": alertmanager}
        tocsin = lab.start_tocsin("tocsin", TOCSIN.format(enabled="true", **names))
        lab.start_mesh(os.path.join(HERE, "mesh.yaml"))
        prometheus = lab.start_prometheus(PROMETHEUS.format(tocsin=tocsin))

        seen = set()
        wait_until("the rules fire on what was written",
                   lambda: seen.update(alerts(alertmanager)) or EXPECTED <= seen, 90)
        print("fired on written samples: " + ", ".join(sorted(name for name, _ in seen)))

        def agree():
            at = round(time.time()) - 5
            return all(is_same(ask(tocsin, query, at), wanted) and wanted
                       for query in SAME for wanted in [ask(prometheus, query, at)])

        wait_until("both answer the same", agree, 30, pause=1)
        metrics = get(f"http://{tocsin}/metrics")
        appended = next(line for line in metrics.splitlines() if line.startswith("tocsin_samples_appended_total"))
        print(f"{len(SAME)} queries, the same answers; {appended}")
        failed = ask(prometheus, "prometheus_remote_storage_samples_failed_total", time.time())
        assert not any(failed.values()), failed

        assert status_of(tocsin, b"hello") == 400
        assert status_of(tocsin, b"\x00") == 204  # A request without anything.
        other = lab.start_tocsin("disabled", TOCSIN.format(enabled="false", **names))
        assert status_of(other, b"\x00") == 404


if __name__ == "__main__":
    main(sys.argv[1])
