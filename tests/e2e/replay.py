#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules over the past: a replay of a simulated stretch finds the faults that were injected and
nothing else; what a daemon recorded gives the alerts that it gave, when it gave them; diff says what
a change would have made of it."""

import datetime
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

from harness import Lab, need, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = os.path.join(HERE, "..", "..", "rules", "linkerd", "*.yaml")

# The faults of the demo's mesh: the rule that is made for each, and whom it is about.
DEMO = {
    ("ProxyCrashLoop", "shop"),
    ("SuccessRateLow", "booksapp"),
    ("RouteLatencyHigh", "booksapp"),
    ("ControlPlaneDown", ""),
    ("LeafCertificateNotRenewed", "emojivoto"),
    ("TcpConnectionErrors", "shop"),
    ("TrafficSpike", "emojivoto"),
}

LIVE_ALERTS = {"TargetsDown", "Failures", "FailuresGoOn"}
LIVE_RULES = """
groups:
  - name: live
    interval: 1s
    rules:
      - record: targets_down
        expr: count(up == 0)
      - alert: TargetsDown
        expr: targets_down > 1
        for: 2s
        labels: {severity: critical}
      - alert: Failures
        expr: sum by (deployment) (rate(response_total{direction="inbound",classification="failure"}[6s])) > 0.5
        for: 1s
      - alert: FailuresGoOn
        expr: ALERTS{alertname="Failures",alertstate="firing"} == 1
        for: 3s
"""

MESH = """
workloads:
  - {name: web, namespace: shop, replicas: 2, services: [{name: web}]}
  - {name: api, namespace: shop, replicas: 2, services: [{name: api}]}
calls:
  - {to: shop/web, rate: 50}
  - {from: shop/web, to: shop/api, rate: 50}
faults:
  - {fault: server_errors, workload: shop/web, start: 6s, end: 12s, ratio: 50%}
  - {fault: scrape_gap, workload: shop/api, start: 8s, end: 16s}
"""


def run(lab, *command):
    done = subprocess.run([lab.tocsin, *command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def replayed(lab, data, rules, *more):
    return json.loads(run(lab, "replay", "--rules", rules, "--data", data, "--output", "json", *more))


def finds_every_fault(lab):
    data = lab.path("demo")
    run(lab, "simulate", "--record", data, "--for", "40m", "--rules", RULES)
    answer = replayed(lab, data, RULES, "--interval", "15s")
    found = {(a["labels"]["alertname"], a["labels"].get("namespace", "")) for a in answer["alerts"]}
    assert found == DEMO, found ^ DEMO
    assert all("resolvedAt" in a for a in answer["alerts"]), answer["alerts"]
    told = sum(len(n["firing"]) for n in answer["notifications"])
    assert told == len(answer["alerts"]), answer["notifications"]
    for alert in answer["alerts"]:
        assert [n["status"] for n in alert["notifications"]] == ["firing", "resolved"], alert
    return data


def says_what_a_change_makes(lab, data):
    rules = lab.path("rules")
    os.makedirs(rules)
    text = "groups:\n  - name: g\n    rules:\n      - alert: Slow\n        success_rate: {below: %s}\n        for: 2m\n"
    lab.write("rules/a.yaml", text % "99%")
    git = ["git", "-C", lab.folder, "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "init", "-q", lab.folder], check=True)
    subprocess.run([*git, "add", "rules"], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    lab.write("rules/a.yaml", text % "50%")
    done = subprocess.run([lab.tocsin, "diff", "git:HEAD:rules", "rules", "--data", data, "--interval", "15s",
                           "--output", "markdown"], cwd=lab.folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    assert "| **Slow** | below |" in done.stdout, done.stdout
    assert "0 alerts gained, 1 lost" in done.stdout, done.stdout
    assert "| lost | Slow | {deployment=" in done.stdout, done.stdout


def lives_of(lines):
    """What a daemon's log says of its alerts: labels, and when they fired and ended."""
    lives = []
    for line in lines:
        entry = json.loads(line)
        if entry["msg"] == "alert pending => firing":
            lives.append([entry["alert"], seconds(entry["ts"]), None])
        if entry["msg"] == "alert firing => inactive":
            next(life for life in lives if life[0] == entry["alert"] and life[2] is None)[2] = seconds(entry["ts"])
    return sorted(lives)


def seconds(moment):
    return datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def is_what_the_daemon_saw(lab):
    """And what a Prometheus saw beside it, which is asked for its samples."""
    lab.start_mesh(lab.write("mesh.yaml", MESH))
    rules = lab.write("live.yaml", LIVE_RULES)
    scraping = f"""scrape_configs: [{{job_name: mesh, file_sd_configs: [{{files: ['{lab.path("targets.json")}']}}]}}]\n"""
    config = lab.write("tocsin.yaml", f"""
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: ['{rules}']
web: {{listen: '127.0.0.1:0'}}
""" + scraping)
    began = datetime.datetime.now(datetime.timezone.utc)
    prometheus = lab.start_prometheus("global: {scrape_interval: 1s, scrape_timeout: 900ms}\n" + scraping)
    recorded = lab.path("recorded")
    process = lab.start("daemon", lab.tocsin, "--log-format=json", "run", "--config", config, "--record", recorded)

    def is_over():
        lives = lives_of(lab.log("daemon").splitlines())
        return {labels.split('alertname="')[1].split('"')[0] for labels, _, _ in lives} == LIVE_ALERTS and \
            all(end is not None for _, _, end in lives)

    wait_until("every alert has fired and ended", is_over, 90, 0.5)
    time.sleep(2)  # What comes last is on the disk.
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    live = lives_of(lab.log("daemon").splitlines())
    alerts = replayed(lab, recorded, rules)["alerts"]
    again = sorted([text_of(a["labels"]), seconds(a["firedAt"]), a.get("resolvedAt") and seconds(a["resolvedAt"])] for a in alerts)
    assert {a["labels"]["alertname"] for a in alerts} == LIVE_ALERTS, alerts
    assert len(live) == len(again), (live, again)
    for was, is_now in zip(live, again):
        # The log tells when an evaluation was done, the replay which slot it was for.
        assert was[0] == is_now[0], (was, is_now)
        assert None not in was + is_now, (live, again)
        assert all(0 <= a - b < 1 for a, b in zip(was[1:], is_now[1:])), (was, is_now)

    now = datetime.datetime.now(datetime.timezone.utc)
    asked = json.loads(run(lab, "replay", "--rules", rules, "--prometheus", f"http://{prometheus}",
                           "--from", began.isoformat(), "--to", now.isoformat(), "--output", "json"))["alerts"]
    there = sorted([text_of(a["labels"]), seconds(a["firedAt"]), seconds(a["resolvedAt"])] for a in asked)
    assert [labels for labels, _, _ in there] == [labels for labels, _, _ in live], (live, there)
    for was, is_there in zip(live, there):
        # Two scrapers see a fault within a scrape of each other, and one reads stale markers.
        assert all(abs(a - b) < 4 for a, b in zip(was[1:], is_there[1:])), (was, is_there)
    goes_on_where_it_was_interrupted(lab, prometheus, rules, began)


class Flaky:
    """Passes questions on to a Prometheus, counts them, and breaks when it has been asked often enough."""

    def __init__(self, prometheus):
        self.asked = 0
        self.breaks_after = None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def pass_on(self):
                outer.asked += 1
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if outer.breaks_after is not None and outer.asked > outer.breaks_after:
                    return self.send_error(503)
                request = urllib.request.Request(f"http://{prometheus}{self.path}", data=body or None, method=self.command,
                                                 headers={"Content-Type": self.headers.get("Content-Type", "text/plain")})
                with urllib.request.urlopen(request, timeout=20) as response:
                    answer = response.read()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = pass_on

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"


def goes_on_where_it_was_interrupted(lab, prometheus, rules, began):
    """A Prometheus that breaks half-way ends the replay with an error; what it answered is not asked again."""
    flaky = Flaky(prometheus)
    cache = lab.path("cache")
    # All of it before the Prometheus was started: it answers that there is nothing.
    command = ["replay", "--rules", rules, "--prometheus", flaky.url(), "--cache", cache, "--output", "json",
               "--from", (began - datetime.timedelta(hours=3)).isoformat(),
               "--to", (began - datetime.timedelta(minutes=10)).isoformat()]
    flaky.breaks_after = 6
    done = subprocess.run([lab.tocsin, *command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "was asked for" in done.stderr, done
    kept = len(os.listdir(cache))
    assert kept == 6, kept
    flaky.breaks_after = None
    flaky.asked = 0
    assert json.loads(run(lab, *command))["alerts"] == []
    assert flaky.asked + kept == len(os.listdir(cache)), (flaky.asked, os.listdir(cache))
    flaky.asked = 0
    assert json.loads(run(lab, *command))["alerts"] == []
    assert flaky.asked == 0, flaky.asked
    flaky.server.shutdown()


def text_of(labels):
    return "{" + ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items())) + "}"


def main(tocsin):
    need("prometheus")
    with Lab(tocsin) as lab:
        data = finds_every_fault(lab)
        says_what_a_change_makes(lab, data)
        is_what_the_daemon_saw(lab)
    print("replay: ok")


if __name__ == "__main__":
    main(sys.argv[1])
