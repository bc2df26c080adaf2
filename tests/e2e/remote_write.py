#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes a mesh and writes to Tocsin: the rules fire there as if it scraped itself,
and what it keeps is what that Prometheus has."""

import http.server
import os
import struct
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from harness import Lab, active_alerts, get, get_json, need, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))

PROMETHEUS = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms}}
scrape_configs:
  - {{job_name: mesh, file_sd_configs: [{{files: [targets.json], refresh_interval: 1s}}]}}
  - {{job_name: native, static_configs: [{{targets: ['{native}']}}]}}
remote_write:
  - {{url: 'http://{tocsin}/api/v1/write', send_native_histograms: true,
     queue_config: {{batch_send_deadline: 200ms}}}}
"""

TOCSIN = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
remote_write_receiver: {{enabled: {enabled}}}
keep: [response_total, native_seconds]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
"""

EXPECTED = {("IdentityDown", ""), ("SuccessRateLow", "api")}

SAME = [
    "sum by (deployment) (rate(response_total[10s]))",
    "count by (deployment, direction) (response_total)",
    "sum by (classification) (increase(response_total[20s]))",
    "histogram_count(native_seconds)",
    "histogram_sum(rate(native_seconds[10s]))",
    "histogram_quantile(1, rate(native_seconds[10s]))",  # In between, Prometheus 3 interpolates otherwise.
    "histogram_fraction(-0.1, 1.5, native_seconds)",
]


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def zigzag(n):
    return varint(n * 2 if n >= 0 else -n * 2 - 1)


def number(field, n):
    return varint(field << 3) + varint(n)


def signed(field, n):
    return varint(field << 3) + zigzag(n)


def double(field, value):
    return varint(field << 3 | 1) + struct.pack("<d", value)


def inside(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


class Native(http.server.BaseHTTPRequestHandler):
    """A native histogram that grows with every scrape, as io.prometheus.client has it."""

    scrapes = 0

    def do_GET(self):
        Native.scrapes += 1
        n = Native.scrapes
        spans = inside(12, signed(1, -2) + number(2, 2)) + inside(12, signed(1, 1) + number(2, 1))
        deltas = b"".join(signed(13, delta) for delta in (n, n, -n))  # n, 2n and, a bucket later, n.
        negative = inside(9, signed(1, 0) + number(2, 1)) + signed(10, n)
        histogram = (number(1, 6 * n) + double(2, 3.5 * n) + signed(5, 1) + double(6, 0.01) + number(7, n)
                     + negative + spans + deltas)
        family = (inside(1, b"native_seconds") + number(3, 4) + inside(4, inside(7, histogram)))
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.google.protobuf; "
                         "proto=io.prometheus.client.MetricFamily; encoding=delimited")
        self.end_headers()
        self.wfile.write(varint(len(family)) + family)

    def log_message(self, *_):
        pass


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
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Native)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Lab(binary) as lab:
        alertmanager = lab.start_alertmanager()
        names = {"rules": os.path.join(HERE, "rules.yaml"), "alertmanager": alertmanager}
        tocsin = lab.start_tocsin("tocsin", TOCSIN.format(enabled="true", **names))
        lab.start_mesh(os.path.join(HERE, "mesh.yaml"))
        prometheus = lab.start_prometheus(
            PROMETHEUS.format(tocsin=tocsin, native=f"127.0.0.1:{server.server_port}"),
            "--enable-feature=native-histograms")

        seen = set()
        wait_until("the rules fire on what was written",
                   lambda: seen.update(alerts(alertmanager)) or EXPECTED <= seen, 90)
        print("fired on written samples: " + ", ".join(sorted(name for name, _ in seen)))

        def differences():
            at = round(time.time()) - 5
            answers = [(query, ask(tocsin, query, at), ask(prometheus, query, at)) for query in SAME]
            return [a for a in answers if not a[2] or not is_same(a[1], a[2])]

        last = []
        try:
            wait_until("both answer the same", lambda: last.append(differences()) or not last[-1], 30, pause=1)
        except AssertionError:
            for query, got, wanted in last[-1]:
                print(f"{query}\n  Prometheus: {wanted}\n  Tocsin:     {got}")
            raise
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
