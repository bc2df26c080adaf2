#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9, again and again, while an alert is pending, fires and is resolved. Nobody must notice: in
a real Alertmanager the alert has one beginning and one end, a webhook is told of each once, and what
was pending fires when it would have.

kill.py TOCSIN [kills] [seed] [tocsin|prometheus]   prometheus: what becomes of the alert there, as told"""

import datetime
import http.server
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

from harness import Lab, active_alerts, free_port, need, wait_until

FOR_SECONDS = 8
FAULT_START = 12  # Seconds after the mesh: windows are full by then.
SEES_AFTER = 3  # Seconds: by then a process has scraped every target twice, and evaluated.

MESH = """
linkerd: "2.20"
workloads:
  - {{name: web, namespace: shop, replicas: 2, services: [{{name: web, port: 8080}}]}}
  - {{name: api, namespace: shop, replicas: 2, services: [{{name: api, port: 8080}}]}}
calls:
  - {{to: shop/web, rate: 40}}
  - {{from: shop/web, to: shop/api, rate: 40, server_errors: 0%}}
faults:
  - {{fault: server_errors, workload: shop/api, start: {start}s, end: {end}s, ratio: 40%}}
"""

RULES = """
groups:
  - name: kill
    rules:
      - alert: SuccessRateLow
        success_rate: {{below: 95%, over: 10s, by: workload, min_requests: 20}}
        for: {for_seconds}s
"""

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s, resend_delay: 2s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: mesh, file_sd_configs: [{{files: [targets.json]}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
route: {{receiver: chat, group_wait: 500ms, group_interval: 2s, group_by: [alertname]}}
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{webhook}/'}}]}}]
storage: {{path: state}}
web: {{listen: '127.0.0.1:{port}'}}
"""


PROMETHEUS = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [plain.yaml]
scrape_configs: [{{job_name: mesh, file_sd_configs: [{{files: [targets.json], refresh_interval: 1s}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
"""


class Webhook(http.server.BaseHTTPRequestHandler):
    """Keeps what it is told, once: a message that is sent again has the same Idempotency-Key."""

    told = {}

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.told.setdefault(self.headers["Idempotency-Key"], []).append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Watch(threading.Thread):
    """Looks at Alertmanager all the time: since when the alert fires, and whether it ever stopped."""

    def __init__(self, alertmanager):
        super().__init__(daemon=True)
        self.alertmanager = alertmanager
        self.lives = []  # One entry per time that the alert appeared: {startsAt, first seen}.
        self.active = False
        self.stopped = False

    def run(self):
        while not self.stopped:
            alerts = active_alerts(self.alertmanager)
            if alerts and not self.active:
                self.lives.append({"starts": {a["startsAt"] for a in alerts}, "seen": time.time()})
            elif alerts:
                self.lives[-1]["starts"] |= {a["startsAt"] for a in alerts}
            self.active = bool(alerts)
            time.sleep(0.05)


def command_of(engine, lab, tocsin, alertmanager, webhook):
    """What is started and killed, with its configuration written."""
    rules = lab.write("rules.yaml", RULES.format(for_seconds=FOR_SECONDS))
    if engine == "tocsin":
        return tocsin, "run", "--config", lab.write("tocsin.yaml", CONFIG.format(
            alertmanager=alertmanager, webhook=webhook, port=free_port()))
    plain = subprocess.run([tocsin, "explain", "--format=prometheus", rules], check=True,
                           capture_output=True, text=True).stdout
    lab.write("plain.yaml", plain)
    return ("prometheus", "--config.file=" + lab.write("prometheus.yml", PROMETHEUS.format(alertmanager=alertmanager)),
            "--storage.tsdb.path=" + lab.path("tsdb"), f"--web.listen-address=127.0.0.1:{free_port()}",
            "--rules.alert.resend-delay=2s")


def main(tocsin, kills=8, seed=1, engine="tocsin"):
    need("prometheus-alertmanager", *(["prometheus"] if engine == "prometheus" else []))
    rng = random.Random(seed)
    pauses = [rng.uniform(0.05, 4.0) for _ in range(kills)]
    fault_end = FAULT_START + FOR_SECONDS + int(sum(pauses)) + 2 * kills // 10 + 6
    webhook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=webhook.serve_forever, daemon=True).start()
    with Lab(tocsin) as lab:
        alertmanager = lab.start_alertmanager()
        command = command_of(engine, lab, tocsin, alertmanager, f"127.0.0.1:{webhook.server_port}")
        mesh_began = time.time()
        lab.start_mesh(lab.write("mesh.yaml", MESH.format(start=FAULT_START, end=fault_end)))
        watch = Watch(alertmanager)
        watch.start()

        lives = [(time.time(), float("inf"))]  # From when to when each process lived.
        running = lab.start("engine-0", *command)
        time.sleep(max(0.0, mesh_began + FAULT_START + 3 - time.time()))  # Pending, or nearly.
        for number, pause in enumerate(pauses, 1):
            running.send_signal(signal.SIGKILL)
            running.wait()
            lives[-1] = (lives[-1][0], time.time())
            lives.append((time.time(), float("inf")))
            running = lab.start(f"engine-{number}", *command)
            time.sleep(pause)

        wait_until("the fault is over and the alert with it",
                   lambda: time.time() > mesh_began + fault_end and not watch.active, 120)
        if engine == "prometheus":
            return tell(watch, mesh_began)
        wait_until("the webhook knows", lambda: told("resolved"), 30)
        time.sleep(3)  # Whatever comes twice comes soon.
        watch.stopped = True
        check(watch, mesh_began + FAULT_START + FOR_SECONDS, lives)
        print(f"killed {kills} times (seed {seed}): one alert, one beginning, one end")


def told(status):
    return [body for bodies in Webhook.told.values() for body in bodies[:1] if body["status"] == status]


def tell(watch, mesh_began):
    late = [life["seen"] - mesh_began - FAULT_START - FOR_SECONDS for life in watch.lives]
    starts = {start for life in watch.lives for start in life["starts"]}
    print(f"Prometheus: in Alertmanager {len(watch.lives)} times, with {len(starts)} beginnings; "
          f"late by {', '.join(f'{seconds:.0f} s' for seconds in late) or 'for ever'}")


def check(watch, due, lives):
    assert len(watch.lives) == 1, watch.lives
    assert len(watch.lives[0]["starts"]) == 1, watch.lives
    fired = seconds_of(next(iter(watch.lives[0]["starts"])))
    # Nobody can see that it is due but a process that lives for long enough.
    could = next(max(due, began + SEES_AFTER) for began, ended in lives if ended > max(due, began + SEES_AFTER))
    print(f"fired {fired - due:.1f} s after the fault began and `for` had passed, "
          f"{fired - could:+.1f} s after a process had lived for long enough to see it")
    assert fired < could + 6, (fired, could)
    firing, resolved = told("firing"), told("resolved")
    assert len(firing) == 1, firing
    assert len(resolved) == 1, resolved
    again = sum(len(bodies) - 1 for bodies in Webhook.told.values())
    print(f"webhook: told of the beginning once and of the end once; {again} messages sent again under their old key")


if __name__ == "__main__":
    main(sys.argv[1], *(int(a) if a.isdigit() else a for a in sys.argv[2:]))
