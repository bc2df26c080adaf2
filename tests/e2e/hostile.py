#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile pages, all at once, beside a target that is well: each is down with a reason, memory stays
bounded, and the one that is well is scraped in time. What a Prometheus does is told.

hostile.py TOCSIN                 pages of 20 MB at most (body_size_limit)
hostile.py TOCSIN defaults        with no limit configured, and ten seconds for a page
hostile.py TOCSIN series [count]  a page of so many series, two million"""

import gzip
import http.server
import itertools
import shutil
import subprocess
import sys
import time

from fakes import Target, serve
from harness import Lab, free_port, get, get_json, wait_until

SECONDS = 14
MOST_MEMORY_MB = 300
BOUND = ["prlimit", f"--data={3 << 30}"]  # What either may use of this machine.

CONFIG = """
global: {{scrape_interval: {every}, scrape_timeout: {timeout}, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs:
  - {{job_name: well, scrape_interval: 1s, scrape_timeout: 900ms, static_configs: [{{targets: ['{well}']}}]}}
{hostile}
"""
JOB = """
  - {{job_name: '{name}', metrics_path: '/{path}', {limit}static_configs: [{{targets: ['{address}']}}]}}"""
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


def page_of(count):
    page = b"".join(b'many{i="%d"} 1\n' % i for i in range(count))

    def answer(handler):
        handler.start()
        handler.wfile.write(page)
    return answer


BOMB = gzip.compress(b"\n" * 200_000_000)
PAGES = {page.__name__: page for page in
         (endless, one_line, ten_million, not_utf8, bomb, drip, headers_without_end, redirects, garbage)}


class Hostile(http.server.BaseHTTPRequestHandler):
    begun = False  # Until then the pages are empty.

    def start(self, headers=()):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self):
        if Hostile.begun:
            PAGES[self.path.strip("/")](self)
        else:
            self.start()

    def log_message(self, *_):
        pass


def memory_mb(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0) / 1024


class Watch:
    """What one engine makes of the pages, and of the target that is well."""

    def __init__(self, lab, engine, pages, seconds, limit="", every="2s", timeout="1900ms"):
        self.engine, self.well = engine, Target({'fault{x="well"}': 1})
        hostile = serve(Hostile)
        address = f"127.0.0.1:{hostile.server_port}"
        jobs = "".join(JOB.format(name=name, path=name, address=address, limit=limit) for name in pages)
        config = CONFIG.format(well=self.well.address, hostile=jobs, every=every, timeout=timeout)
        lab.write("rules.yaml", RULES)
        self.server = lab.start_tocsin("tocsin", config) if engine == "tocsin" else self.start_prometheus(lab, config)
        self.process = lab.processes[-1][1]
        subprocess.run([*BOUND, f"--pid={self.process.pid}"], check=True)
        Hostile.begun = False
        wait_until("the alert fires", self.fires, 40)
        Hostile.begun = True
        self.slowest, self.used, self.began = 0.0, 0.0, time.monotonic()
        while time.monotonic() < self.began + seconds and self.look():
            time.sleep(0.1)
        self.gap = max(b - a for a, b in zip(self.well.scrapes, self.well.scrapes[1:] + [time.time()]))
        hostile.shutdown()

    @staticmethod
    def start_prometheus(lab, config):
        address = f"127.0.0.1:{free_port()}"
        lab.start("prometheus", "prometheus", f"--config.file={lab.write('prometheus.yml', config)}",
                  f"--storage.tsdb.path={lab.path('tsdb')}", f"--web.listen-address={address}")
        wait_until("Prometheus is ready", lambda: get(f"http://{address}/-/ready"))
        return address

    def ask(self, what, timeout=5):
        return get_json(f"http://{self.server}/api/v1/{what}", timeout)["data"]

    def fires(self):
        return any(a["labels"].get("x") == "well" for a in self.ask("alerts")["alerts"])

    def look(self):
        """Whether it lives."""
        began = time.monotonic()
        try:
            get(f"http://{self.server}/-/healthy", 20)
        except OSError:
            pass
        self.slowest = max(self.slowest, time.monotonic() - began)
        if self.process.poll() is not None:
            return False
        self.used = max(self.used, memory_mb(self.process))
        return True

    def missed(self):
        metrics = get(f"http://{self.server}/metrics", 30)
        return sum(float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines()
                   if line.startswith(("tocsin_rule_group_iterations_missed_total",
                                       "prometheus_rule_group_iterations_missed_total")))

    def tell(self, what):
        if self.process.poll() is not None:
            print(f"{what}, {self.engine}: dies after {time.monotonic() - self.began:.0f} s, {self.used:.0f} MiB at most "
                  "of the 3 GiB that it may have", flush=True)
            return
        for target in self.ask("targets", 30)["activeTargets"]:
            if target["labels"]["job"] != "well":
                print(f"  {target['labels']['job']}: {target['health']}, {target['lastError'][:110]}")
        print(f"{what}, {self.engine}: {self.used:.0f} MiB at most, the alert of the target that is well "
              f"{'fires' if self.fires() else 'is gone'}, it is scraped every {self.gap:.2f} s at worst, /-/healthy in "
              f"{self.slowest * 1000:.0f} ms at worst, {self.missed():.0f} evaluations missed", flush=True)


def small(lab, engine):
    watch = Watch(lab, engine, PAGES, SECONDS, limit="body_size_limit: 20MB, ")
    watch.tell(f"{len(PAGES)} hostile pages for {SECONDS} s")
    if engine == "tocsin":
        for target in watch.ask("targets")["activeTargets"]:
            assert target["labels"]["job"] == "well" or (target["health"] == "down" and target["lastError"]), target
        assert watch.fires() and watch.used < MOST_MEMORY_MB and watch.gap < 2.5 and watch.missed() == 0


def defaults(lab, engine):
    watch = Watch(lab, engine, PAGES, 45, every="12s", timeout="10s")
    watch.tell(f"{len(PAGES)} hostile pages for 45 s, no limit configured")
    assert engine != "tocsin" or watch.fires()


def series(lab, engine, count=2_000_000):
    PAGES["so_many"] = page_of(count)
    watch = Watch(lab, engine, ["so_many"], 45, every="15s", timeout="14s")
    watch.tell(f"a page of {count} series for 45 s")
    assert engine != "tocsin" or watch.fires()


def main(tocsin, part="small", *count):
    engines = ["tocsin", "prometheus"] if shutil.which("prometheus") else ["tocsin"]
    if len(engines) == 1:
        print("skipped beside Prometheus: it is not installed")
    for engine in engines:
        with Lab(tocsin) as lab:
            {"small": small, "defaults": defaults, "series": series}[part](lab, engine, *count)


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
