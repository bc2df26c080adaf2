#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an alert draws from is away while it fires: the target's process is gone; the Prometheus between
them hangs, has lost its targets, or has begun anew with nothing. Four Tocsins: one scrapes the target,
the others federate that Prometheus, ask it, and are written to by it, which also has the rule itself.
In Tocsin the alert must stay, say why, and end with fresh data; what Prometheus does is told. Last,
Tocsin's own discovery names no target any more: that ends nothing; then it names another instead of this
one: that ends it."""

import json
import os
import shutil
import signal
import sys
import time

from fakes import Target, serve
from harness import Lab, active_alerts, free_port, need, wait_until

LONG = 14  # Longer than Alertmanager believes an alert: four times the resend delay.

ENGINE = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s{more}}}
rule_files: [rules.yaml]
{source}
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
"""
SCRAPE = "scrape_configs: [{job_name: toy, file_sd_configs: [{files: [%s]%s}]}]"
FEDERATE = ("scrape_configs: [{job_name: middle, metrics_path: /federate, honor_labels: true, "
            "static_configs: [{targets: ['%s']}]}]")
QUERY = "prometheus: {url: 'http://%s', timeout: 1s}"
RECEIVE = "remote_write_receiver: {enabled: true}"
WRITE = "\nremote_write: [{url: 'http://%s/api/v1/write', queue_config: {batch_send_deadline: 200ms}}]"
RULES = "groups: [{name: absence, rules: [{alert: Fault, expr: 'fault > 0'}]}]\n"
BEHIND = ("federates", "asks", "is written to")  # They see what that Prometheus sees.
MINUTE = 60  # For so long a target that was down is remembered.


def fires(alertmanager):
    return [a for a in active_alerts(alertmanager) if a["labels"]["alertname"] == "Fault"]


def looks(seconds, alertmanagers):
    """For each: how many of the looks found the alert gone, and whether it ever said why it is blind."""
    gone, said = dict.fromkeys(alertmanagers, 0), dict.fromkeys(alertmanagers, "")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for name, address in alertmanagers.items():
            alerts = fires(address)
            gone[name] += not alerts
            said[name] = said[name] or "".join(a["annotations"].get("blind", "") for a in alerts)
        time.sleep(0.2)
    return gone, said


class Absence:
    def __init__(self, lab):
        self.lab = lab
        self.target = Target({'fault{x="1"}': 1})
        lab.write("rules.yaml", RULES)
        for name in ("targets.json", "middle.json"):
            self.list_targets(name, [self.target.address])
        ways = ("scrapes", *BEHIND, "prometheus")
        self.alertmanagers = {way: lab.start_alertmanager(way) for way in ways}
        self.middle = f"127.0.0.1:{free_port()}"
        sources = {"scrapes": SCRAPE % ("targets.json", ", refresh_interval: 1s"), "federates": FEDERATE % self.middle,
                   "asks": QUERY % self.middle, "is written to": RECEIVE}
        started = {way: lab.start_tocsin(way, ENGINE.format(
            source=source, more=", resend_delay: 2s", alertmanager=self.alertmanagers[way]))
            for way, source in sources.items()}
        self.middle_config = ENGINE.format(source=SCRAPE % ("middle.json", ", refresh_interval: 1s"), more="",
                                           alertmanager=self.alertmanagers["prometheus"]) + WRITE % started["is written to"]
        self.start_middle()
        for way, address in self.alertmanagers.items():
            wait_until(f"it fires: {way}", lambda a=address: fires(a), 30)
        self.began = self.beginnings()

    def start_middle(self):
        self.lab.start_prometheus(self.middle_config, "--rules.alert.resend-delay=2s",
                                  port=int(self.middle.rsplit(":", 1)[1]))
        self.middle_process = self.lab.processes[-1][1]

    def list_targets(self, name, targets):
        self.lab.write(name + ".new", json.dumps([{"targets": targets}]))
        os.replace(self.lab.path(name + ".new"), self.lab.path(name))

    def beginnings(self):
        return {way: fires(self.alertmanagers[way])[0]["startsAt"] for way in ("scrapes", *BEHIND)}

    def away(self, what, ways, leave, come_back, says):
        leave()
        watched = {way: self.alertmanagers[way] for way in ways}
        gone, said = looks(LONG, watched)
        come_back()
        for way in ways:
            if way == "prometheus":
                continue
            assert gone[way] == 0, (what, way, gone)
            assert any(text in said[way] for text in says), (what, way, "does not say why", said[way])
            print(f"{what}, {LONG} s: a Tocsin that {way} kept the alert: {said[way]}")
        if "prometheus" in ways:
            print(f"{what}, {LONG} s: Prometheus: gone at {gone['prometheus']} looks")
        for way, address in watched.items():
            wait_until(f"it is seen again: {way}", lambda a=address: [
                f for f in fires(a) if "blind" not in f["annotations"]], 30)

    def stop_target(self):
        self.target.close()

    def start_target(self):
        self.target.server = serve(self.target.server.RequestHandlerClass, self.target.server.server_port)
        self.up_since = time.monotonic()

    def lose_targets(self):
        self.list_targets("middle.json", [])

    def find_targets(self):
        self.list_targets("middle.json", [self.target.address])

    def begin_anew_without_targets(self):
        self.middle_process.send_signal(signal.SIGKILL)
        self.middle_process.wait()
        shutil.rmtree(self.lab.path("tsdb"))
        self.lose_targets()
        self.start_middle()


def main(tocsin):
    need("prometheus", "prometheus-alertmanager")
    with Lab(tocsin) as lab:
        run = Absence(lab)
        run.away("that Prometheus has lost its targets", [*BEHIND, "prometheus"], run.lose_targets, run.find_targets,
                 says=["no target of the job 'toy'"])
        # What is written is believed for five minutes anyway.
        run.away("the Prometheus between them hangs", ["federates", "asks"],
                 lambda: run.middle_process.send_signal(signal.SIGSTOP),
                 lambda: run.middle_process.send_signal(signal.SIGCONT), says=["timed out"])
        run.away("that Prometheus begins anew, with nothing", ["federates", "asks"],
                 run.begin_anew_without_targets, run.find_targets,
                 says=["no target of the job 'toy'", "cannot"])  # While it dies and starts nobody answers.
        run.away("the target's process is gone", ["scrapes", *BEHIND, "prometheus"], run.stop_target, run.start_target,
                 says=["cannot"])
        assert run.beginnings() == run.began
        time.sleep(max(0.0, run.up_since + MINUTE + 5 - time.monotonic()))
        run.target.series = {'fault{x="1"}': 0}
        for way, address in run.alertmanagers.items():
            wait_until(f"over when fresh data says so: {way}", lambda a=address: not fires(a), 30)
        print("fresh data says that it is over: over in all")

        run.target.series = {'fault{x="1"}': 1}
        address = run.alertmanagers["scrapes"]
        wait_until("it fires again", lambda: fires(address), 30)
        run.away("Tocsin's discovery names no target", ["scrapes"], lambda: run.list_targets("targets.json", []),
                 lambda: run.list_targets("targets.json", [run.target.address]),
                 says=["there is no target of the job 'toy'"])
        run.list_targets("targets.json", [Target({}).address])
        began = time.monotonic()
        wait_until("over when another is in discovery in its place", lambda: not fires(address), 60)
        print(f"replaced in discovery: over after {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1])
