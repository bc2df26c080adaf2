#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an alert draws from is away while it fires: the target's process is gone, the Prometheus that is
federated is away, the Prometheus that is asked is away. Three Tocsins, one for each way in, and a
Prometheus that scrapes the target. In Tocsin the alert must stay, say why, and end with fresh data;
what Prometheus does is told. Last, the target is taken out of discovery: that ends it."""

import json
import signal
import sys
import time

from fakes import Target, serve
from harness import Lab, active_alerts, get_json, need, wait_until

LONG = 14  # Longer than Alertmanager believes an alert: four times the resend delay.

ENGINE = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s{more}}}
rule_files: [rules.yaml]
{source}
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
"""
SCRAPE = "scrape_configs: [{job_name: toy, file_sd_configs: [{files: [targets.json]%s}]}]"
FEDERATE = ("scrape_configs: [{job_name: middle, metrics_path: /federate, honor_labels: true, "
            "static_configs: [{targets: ['%s']}]}]")
QUERY = "prometheus: {url: 'http://%s', timeout: 1s}"
RULES = "groups: [{name: absence, rules: [{alert: Fault, expr: 'fault > 0'}]}]\n"


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
        self.list_targets([self.target.address])
        ways = ("scrapes", "federates", "asks", "prometheus")
        self.alertmanagers = {way: lab.start_alertmanager(way) for way in ways}
        self.middle = lab.start_prometheus(
            ENGINE.format(source=SCRAPE % "", more="", alertmanager=self.alertmanagers["prometheus"]),
            "--rules.alert.resend-delay=2s")
        self.middle_process = lab.processes[-1][1]
        sources = {"scrapes": SCRAPE % ", refresh_interval: 1s", "federates": FEDERATE % self.middle,
                   "asks": QUERY % self.middle}
        for way, source in sources.items():
            lab.start_tocsin(way, ENGINE.format(source=source, more=", resend_delay: 2s",
                                                alertmanager=self.alertmanagers[way]))
        for way, address in self.alertmanagers.items():
            wait_until(f"it fires: {way}", lambda a=address: fires(a), 30)
        self.began = self.beginnings()

    def list_targets(self, targets):
        self.lab.write("targets.json", json.dumps([{"targets": targets}]))

    def beginnings(self):
        return {way: fires(self.alertmanagers[way])[0]["startsAt"] for way in ("scrapes", "federates", "asks")}

    def away(self, what, ways, leave, come_back):
        leave()
        watched = {way: self.alertmanagers[way] for way in ways}
        gone, said = looks(LONG, watched)
        come_back()
        for way in ways:
            if way == "prometheus":
                continue
            assert gone[way] == 0, (what, way, gone)
            assert said[way], (what, way, "does not say why")
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


def main(tocsin):
    need("prometheus", "prometheus-alertmanager")
    with Lab(tocsin) as lab:
        run = Absence(lab)
        process = run.middle_process
        run.away("the target's process is gone", ["scrapes", "prometheus"], run.stop_target, run.start_target)
        # They see what that Prometheus sees: to them it was over, too.
        for way in ("federates", "asks"):
            wait_until(f"it fires again: {way}", lambda a=run.alertmanagers[way]: fires(a), 30)
        assert run.beginnings()["scrapes"] == run.began["scrapes"]
        run.began = run.beginnings()
        run.away("the Prometheus behind it hangs", ["federates", "asks"],
                 lambda: process.send_signal(signal.SIGSTOP), lambda: process.send_signal(signal.SIGCONT))
        assert run.beginnings() == run.began
        run.target.series = {'fault{x="1"}': 0}
        for way, address in run.alertmanagers.items():
            wait_until(f"over when fresh data says so: {way}", lambda a=address: not fires(a), 30)
        print("fresh data says that it is over: over in all")

        run.target.series = {'fault{x="1"}': 1}
        address = run.alertmanagers["scrapes"]
        wait_until("it fires again", lambda: fires(address), 30)
        run.list_targets([])
        began = time.monotonic()
        wait_until("over when the target is no longer in discovery", lambda: not fires(address), 60)
        print(f"taken out of discovery: over after {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1])
