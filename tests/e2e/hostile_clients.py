#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile clients of the port, all at once: the page and /-/healthy answer all the same, no evaluation is
missed and memory stays bounded. What a Prometheus with the same password does is told."""

import base64
import shutil
import socket
import sys
import threading
import time
import urllib.request

from fakes import Target
from harness import Lab, free_port, wait_until
from hostile import BOUND, memory_mb

SECONDS = 10
SLOW = 200  # Connections whose headers drip.
MOST_MEMORY_MB = 300

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
remote_write_receiver: {{enabled: true}}
web: {{listen: '{listen}', basic_auth_users_file: users, rate_limit: {{interval: 5ms, burst: 500}}}}
"""
PROMETHEUS = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
"""
# "right", at a cost of 5.
PROMETHEUS_WEB = "basic_auth_users: {me: '$2b$05$lRonDNVwDUsD/VvzwhXjge/lHjcbKNtGBeZSzsQd2a6B1/A4Zej6W'}\n"
RULES = "groups: [{name: g, rules: [{alert: Fault, expr: 'fault > 0'}]}]\n"
KNOWN = "Basic " + base64.b64encode(b"me:right").decode()
POSTS = ["/api/v1/write", "/api/v1/query", "/api/v1/query_range", "/api/v1/series", "/-/reload", "/api/v2/silences"]


class Attack(threading.Thread):
    """Repeats one thing until the time is over. Whatever the server does to the connection is well."""

    def __init__(self, port, do):
        super().__init__(daemon=True)
        self.port, self.do, self.until, self.rounds = port, do, time.monotonic() + SECONDS, 0
        self.address = FLOODS_FROM if do is flood else ATTACKS_FROM

    def run(self):
        while time.monotonic() < self.until:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=2, source_address=(self.address, 0)) as s:
                    self.do(self, s)
            except OSError:
                pass
            self.rounds += 1
            time.sleep(0.05)


def slow_headers(attack, s):
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    while time.monotonic() < attack.until:
        s.sendall(b"X: y\r\n")
        time.sleep(1)


def huge_headers(attack, s):
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 2_000_000)
    s.recv(1000)


def huge_body(attack, s):
    path = POSTS[attack.rounds % len(POSTS)]
    s.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {KNOWN}\r\nContent-Length: 9000000000\r\n\r\n".encode())
    for _ in range(400):
        s.sendall(b"a" * 100_000)


def wrong_password(attack, s):
    guess = base64.b64encode(f"me:{attack.rounds}".encode()).decode()
    for _ in range(20):
        s.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {guess}\r\n\r\n".encode())
        assert b"200 OK" not in s.recv(4000)


def garbage(attack, s):
    s.sendall(bytes(range(256)) * 100 + b"GET / HTTP/1.1\r\n\r\n" * 500)
    s.recv(1000)


def flood(attack, s):
    """As fast as it can."""
    request = f"GET /api/v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: {KNOWN}\r\n\r\n".encode()
    while time.monotonic() < attack.until:
        s.sendall(request)
        answer = s.recv(4000)
        if not answer:
            return
        status = answer.split(b" ", 2)[1].decode()
        flood.answers[status] = flood.answers.get(status, 0) + 1
        if status == "429":
            assert b"Retry-After: 1" in answer
            if attack.rounds % 2:
                assert well(s).startswith(b"HTTP/1.1 200")


def well(s):
    s.sendall(f"GET /-/healthy HTTP/1.1\r\nHost: x\r\nAuthorization: {KNOWN}\r\n\r\n".encode())
    return s.recv(4000)


flood.answers = {}
FLOODS_FROM, ATTACKS_FROM = "127.0.0.3", "127.0.0.2"  # Who must be answered asks from 127.0.0.1.
RATE, BURST = 200, 500  # As in CONFIG.


def half_closed(attack, s):
    s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
    s.shutdown(socket.SHUT_WR)
    s.recv(1000)


def fetch(listen, path):
    request = urllib.request.Request(f"http://{listen}{path}", headers={"Authorization": KNOWN})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read().decode()


def number(text, name):
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def under_attack(listen, paths):
    """The slowest answer to a client that is well, by path, in seconds; and how many had none."""
    wait_until("the alert fires", lambda: "Fault" in fetch(listen, "/api/v1/alerts"), 30)
    flood.answers.clear()
    kinds = [slow_headers] * SLOW + [huge_headers, huge_body, wrong_password, garbage, half_closed, flood] * 2
    attacks = [Attack(int(listen.split(":")[1]), kind) for kind in kinds]
    for attack in attacks:
        attack.start()
    slowest, unanswered = dict.fromkeys(paths, 0.0), 0
    while any(attack.is_alive() for attack in attacks) and time.monotonic() < attacks[0].until:
        for path in paths:
            began = time.monotonic()
            try:
                fetch(listen, path)
            except OSError:
                unanswered += 1
            slowest[path] = max(slowest[path], time.monotonic() - began)
        time.sleep(0.2)
    return slowest, unanswered


def tell(who, slowest, unanswered, missed, target, used):
    gaps = max(b - a for a, b in zip(target.scrapes, target.scrapes[1:]))
    waits = ", ".join(f"{path} in {seconds * 1000:.0f} ms" for path, seconds in slowest.items())
    print(f"hostile clients for {SECONDS} s ({SLOW} with slow headers, and others), {who}: {waits} at worst, "
          f"{unanswered} requests unanswered, {missed:.0f} evaluations missed, scraped every {gaps:.2f} s at worst, "
          f"{used:.0f} MiB at most", flush=True)


def attack_tocsin(lab):
    target, listen = Target({'fault{x="1"}': 1}), f"127.0.0.1:{free_port()}"
    lab.write("users", "me:right\n")
    process = lab.start("tocsin", lab.tocsin, "run", "--config",
                        lab.write("tocsin.yaml", CONFIG.format(target=target.address, listen=listen)))
    slowest, unanswered = under_attack(listen, ["/-/healthy", "/"])
    metrics = fetch(listen, "/metrics")
    passed, turned_away = flood.answers["200"], flood.answers["429"]
    print(f"an address that floods: {passed} requests answered, {turned_away} refused")
    assert passed <= BURST + RATE * (SECONDS + 3) and turned_away <= number(metrics, "tocsin_http_requests_refused_total")
    missed, used = number(metrics, "tocsin_rule_group_iterations_missed_total"), memory_mb(process)
    tell("Tocsin", slowest, unanswered, missed, target, used)
    assert max(slowest.values()) < 1 and unanswered == 0 and missed == 0 and used < MOST_MEMORY_MB


def attack_prometheus(lab):
    target, listen = Target({'fault{x="1"}': 1}), f"127.0.0.1:{free_port()}"
    config = lab.write("prometheus.yml", PROMETHEUS.format(target=target.address))
    process = lab.start("prometheus", *BOUND, "prometheus", f"--config.file={config}",
                        f"--storage.tsdb.path={lab.path('tsdb')}", f"--web.listen-address={listen}",
                        f"--web.config.file={lab.write('web.yml', PROMETHEUS_WEB)}", "--web.enable-lifecycle",
                        "--web.enable-remote-write-receiver")
    slowest, unanswered = under_attack(listen, ["/-/healthy", "/api/v1/alerts"])
    missed = number(fetch(listen, "/metrics"), "prometheus_rule_group_iterations_missed_total")
    tell("Prometheus", slowest, unanswered, missed, target, memory_mb(process))


def main(tocsin):
    attacks = [attack_tocsin]
    if shutil.which("prometheus"):
        attacks.append(attack_prometheus)
    else:
        print("skipped beside Prometheus: it is not installed")
    for attack in attacks:
        with Lab(tocsin) as lab:
            lab.write("rules.yaml", RULES)
            attack(lab)


if __name__ == "__main__":
    main(sys.argv[1])
