#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile pages, all at once, beside a target that is well: each is down with a reason, memory stays
bounded, and the one that is well is scraped in time."""

import gzip
import http.server
import itertools
import sys
import time

from fakes import Target, serve
from harness import Lab, get, get_json, wait_until

SECONDS = 14
MOST_MEMORY_MB = 300

CONFIG = """
global: {{scrape_interval: 2s, scrape_timeout: 1900ms, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs:
  - {{job_name: well, scrape_interval: 1s, scrape_timeout: 900ms, static_configs: [{{targets: ['{well}']}}]}}
{hostile}
"""
JOB = """
  - {{job_name: '{name}', metrics_path: '/{path}', body_size_limit: 20MB, static_configs: [{{targets: ['{address}']}}]}}"""
RULES = """
groups:
  - name: g
    rules:
      - {alert: Fault, expr: 'fault > 0'}
      - {alert: Many, expr: 'count(many) > 10'}
"""


def stream(handler, chunks, seconds=5.0):
    """At most for a while: whoever reads is meant to hang up."""
    handler.start()
    deadline = time.monotonic() + seconds
    for chunk in chunks:
        handler.wfile.write(chunk)
        if time.monotonic() > deadline:
            return


def endless(handler):
    stream(handler, itertools.repeat(b'fault{x="0"} 1\n' * 4000))


def one_line(handler):
    stream(handler, itertools.chain([b'fault{x="'], itertools.repeat(b"a" * 100_000, 10_000)))


def ten_million(handler):
    stream(handler, (b"".join(b'many{i="%d"} 1\n' % i for i in range(n, n + 5000)) for n in range(0, 10_000_000, 5000)))


def not_utf8(handler):
    handler.start()
    handler.wfile.write(b'fault{x="\xff\xfe\xc0"} 1\n')


def bomb(handler):
    handler.start({"Content-Encoding": "gzip"})
    handler.wfile.write(BOMB)


def drip(handler):
    handler.start()
    for letter in b'fault{x="1"} 1\n':
        handler.wfile.write(bytes([letter]))
        handler.wfile.flush()
        time.sleep(1)


def headers_without_end(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    deadline = time.monotonic() + 5
    for i in itertools.count():
        handler.wfile.write(b"X-%d: %s\r\n" % (i, b"y" * 1000))
        if time.monotonic() > deadline:
            return


def redirects(handler):
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.end_headers()


def garbage(handler):
    handler.wfile.write(bytes(range(256)) * 40)


BOMB = gzip.compress(b"\n" * 200_000_000)
PAGES = {page.__name__: page for page in
         (endless, one_line, ten_million, not_utf8, bomb, drip, headers_without_end, redirects, garbage)}


class Hostile(http.server.BaseHTTPRequestHandler):
    def start(self, headers=()):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self):
        PAGES[self.path.strip("/")](self)

    def log_message(self, *_):
        pass


def memory_mb(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def main(tocsin):
    well = Target({'fault{x="well"}': 1})
    server = serve(Hostile)
    address = f"127.0.0.1:{server.server_port}"
    with Lab(tocsin) as lab:
        lab.write("rules.yaml", RULES)
        jobs = "".join(JOB.format(name=name, path=name, address=address) for name in PAGES)
        tocsin_at = lab.start_tocsin("tocsin", CONFIG.format(well=well.address, hostile=jobs))
        process = lab.processes[-1][1]
        wait_until("the alert fires", lambda: get_json(f"http://{tocsin_at}/api/v1/alerts")["data"]["alerts"], 20)
        slowest, deadline = 0.0, time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            began = time.monotonic()
            get(f"http://{tocsin_at}/-/healthy")
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.1)
        targets = get_json(f"http://{tocsin_at}/api/v1/targets")["data"]["activeTargets"]
        alerts = get_json(f"http://{tocsin_at}/api/v1/alerts")["data"]["alerts"]
        metrics = get(f"http://{tocsin_at}/metrics")
        used = memory_mb(process)
        for target in targets:
            job = target["labels"]["job"]
            if job != "well":
                print(f"  {job}: {target['health']}, {target['lastError'][:110]}")
                assert target["health"] == "down" and target["lastError"], target
        gaps = [b - a for a, b in zip(well.scrapes, well.scrapes[1:])]
        missed = sum(float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines()
                     if line.startswith("tocsin_rule_group_iterations_missed_total"))
        print(f"{len(PAGES)} hostile pages for {SECONDS} s: {used:.0f} MiB at most, the target that is well scraped every "
              f"{max(gaps):.2f} s at worst, /-/healthy in {slowest * 1000:.0f} ms at worst, {missed:.0f} evaluations missed")
        assert [a["labels"]["x"] for a in alerts if a["labels"]["alertname"] == "Fault"] == ["well"], alerts
        assert used < MOST_MEMORY_MB and max(gaps) < 2.5 and missed == 0


if __name__ == "__main__":
    main(sys.argv[1])
