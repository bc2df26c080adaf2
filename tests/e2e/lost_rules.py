#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""While an alert fires, its rule file breaks, is not there at a start, or its folder vanishes beneath a
running daemon: nobody is told that the alert has ended, until the rule is really taken away."""

import os
import signal
import sys
import time

from fakes import Receiver, Target
from harness import Lab, free_port, get, get_json, wait_until

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s, resend_delay: 1s}}
rule_files: {rule_files}
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
route: {{receiver: chat, group_by: ['...'], group_wait: 100ms, group_interval: 1s}}
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{chat}/'}}]}}]
storage: {{path: state}}
web: {{listen: '127.0.0.1:{port}'}}
"""
RULES = "groups: [{name: g, rules: [{alert: Fault, expr: 'fault > 0'}]}]\n"
BROKEN = RULES.replace("> 0", ">> 0")
FIRING = {"1": ["firing"]}


class Daemon:
    def __init__(self, lab, rule_files):
        self.lab, self.rule_files = lab, rule_files
        self.target, self.chat, self.port = Target({'fault{x="1"}': 1}), Receiver(), free_port()
        os.mkdir(lab.path("rules"))
        lab.write("rules/a.yaml", RULES)
        self.start()
        wait_until("the alert is told", lambda: self.story() == FIRING, 30)

    def start(self):
        config = CONFIG.format(rule_files=self.rule_files, target=self.target.address,
                               chat=self.chat.address, port=self.port)
        self.process = self.lab.start("tocsin", self.lab.tocsin, "run", "--config",
                                      self.lab.write("tocsin.yaml", config))
        wait_until("it is ready", lambda: get(f"http://127.0.0.1:{self.port}/-/ready"))

    def restart(self):
        self.lab.stop(self.process, signal.SIGKILL)
        self.start()

    def story(self):
        return self.chat.story("x", once=True)

    def still_fires(self):
        """The alert is there, says that it cannot be seen, and nobody is told that it has ended."""
        wait_until("the alert says why it cannot be seen", lambda: "rules" in self.blindness(), 30)
        time.sleep(2)
        assert self.story() == FIRING, self.story()

    def blindness(self):
        rules = get_json(f"http://127.0.0.1:{self.port}/api/v1/rules")["data"]["groups"]
        return " ".join(rule["lastError"] for group in rules for rule in group["rules"]
                        if rule["alerts"] and rule["health"] == "err")

    def sees(self):
        """The rule is back and the alert has gone on."""
        alerts = get_json(f"http://127.0.0.1:{self.port}/api/v1/alerts")["data"]["alerts"]
        return len(alerts) == 1 and not self.blindness()

    def wait_for_reload(self, successful):
        metric = f"tocsin_config_last_reload_successful {successful}"
        wait_until(metric, lambda: metric in get(f"http://127.0.0.1:{self.port}/metrics"), 30)


def a_rule_file_is_broken_at_a_start(lab):
    daemon = Daemon(lab, "[rules/*.yaml]")
    lab.write("rules/a.yaml", BROKEN)
    for _ in range(2):
        daemon.restart()
        daemon.still_fires()
        assert "rules/a.yaml:1:" in daemon.blindness(), daemon.blindness()
    lab.write("rules/a.yaml", RULES)
    wait_until("the mended rule is loaded", daemon.sees, 30)
    assert daemon.story() == FIRING, daemon.story()
    lab.write("rules/a.yaml", "groups: []\n")
    wait_until("the rule has gone", lambda: daemon.story() == {"1": ["firing", "resolved"]}, 30)


def a_rule_file_is_not_there_at_a_start(lab):
    daemon = Daemon(lab, "[rules/*.yaml]")
    os.rename(lab.path("rules"), lab.path("elsewhere"))
    for _ in range(2):
        daemon.restart()
        daemon.still_fires()
    os.rename(lab.path("elsewhere"), lab.path("rules"))
    wait_until("the rule is back", daemon.sees, 30)
    assert daemon.story() == FIRING, daemon.story()


def a_folder_vanishes(lab):
    daemon = Daemon(lab, "[rules/*.yaml]")
    os.rename(lab.path("rules"), lab.path("elsewhere"))
    daemon.wait_for_reload(0)
    assert "take the pattern out of" in get(f"http://127.0.0.1:{daemon.port}/")
    time.sleep(2)
    assert daemon.story() == FIRING and daemon.sees(), daemon.story()
    daemon.rule_files = "[]"
    daemon.restart()
    wait_until("the pattern has gone, and the rule with it",
               lambda: daemon.story() == {"1": ["firing", "resolved"]}, 30)


def main(tocsin):
    for part in (a_rule_file_is_broken_at_a_start, a_rule_file_is_not_there_at_a_start, a_folder_vanishes):
        with Lab(tocsin) as lab:
            part(lab)
            print("ok: " + part.__name__.replace("_", " "))


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
