#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two replicas that tell a webhook themselves, one of them the other's standby: whichever is killed, every
alert is told once and over once, and nothing is told to be over that is not."""

import signal
import sys
import time

from fakes import Receiver, Target
from harness import Lab, free_port, get, wait_until

ROUNDS = 2
AFTER = 3   # Seconds of silence until the standby tells.
ASKED = 1   # Seconds: by then the standby has asked again.

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s, resend_delay: 1s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
route: {{receiver: chat, group_by: ['...'], group_wait: 200ms, group_interval: 1s, repeat_interval: 12h}}
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{webhook}/', send_resolved: true}}]}}]
storage: {{path: {name}-state}}
standby: {{{relation}: 'http://{other}', after: {after}s}}
"""
RULES = "groups: [{name: g, rules: [{alert: Fault, expr: 'last_over_time(fault[3s]) > 0'}]}]\n"
OTHER = {"first": "standby", "standby": "first"}


class Pair:
    def __init__(self, lab):
        self.lab = lab
        self.target = Target({'fault{x="1"}': 1})
        self.webhook = Receiver()
        self.addresses = {name: f"127.0.0.1:{free_port()}" for name in OTHER}
        self.running = {}
        self.told = []
        lab.write("rules.yaml", RULES)

    def start(self, name):
        config = CONFIG.format(target=self.target.address, webhook=self.webhook.address, name=name, after=AFTER,
                               relation="by" if name == "first" else "of", other=self.addresses[OTHER[name]])
        self.lab.start_tocsin(name, config, port=int(self.addresses[name].rsplit(":", 1)[1]))
        self.running[name] = self.lab.processes[-1][1]

    def kill(self, name):
        self.running[name].send_signal(signal.SIGKILL)
        self.running[name].wait()

    def tells(self, name):
        return "and tells receivers" in get(f"http://{self.addresses[name]}/-/ready")

    def wait_for_turn(self, name):
        wait_until(f"it is the turn of the {name}", lambda: self.tells(name), 30)
        silent = OTHER[name]
        if self.running[silent].poll() is None:
            wait_until(f"the {silent} is silent", lambda: not self.tells(silent), 30)

    def story(self):
        return self.webhook.story("x")

    def begin(self, x):
        self.told.append(x)
        self.target.series[f'fault{{x="{x}"}}'] = 1
        wait_until(f"{x} is told", lambda: self.story().get(x) == ["firing"], 30)
        time.sleep(ASKED)

    def end(self, x):
        self.target.series[f'fault{{x="{x}"}}'] = 0
        wait_until(f"{x} is over", lambda: self.story().get(x) == ["firing", "resolved"], 30)
        time.sleep(ASKED)


def main(tocsin):
    with Lab(tocsin) as lab:
        pair = Pair(lab)
        pair.start("first")
        pair.start("standby")
        pair.wait_for_turn("first")
        pair.begin("1")
        for number in range(ROUNDS):
            pair.kill("first")
            began = time.monotonic()
            pair.begin(f"without-first-{number}")
            took = time.monotonic() - began - ASKED
            print(f"the first is killed: the standby tells of what begins then, after {took:.1f} s")
            assert pair.tells("standby")
            if number == 0:
                pair.end("1")  # That the first has told of.
            pair.start("first")
            pair.wait_for_turn("first")
            pair.end(f"without-first-{number}")  # That the standby has told of.
            pair.kill("standby")
            pair.begin(f"without-standby-{number}")
            pair.start("standby")
            pair.wait_for_turn("first")
            time.sleep(ASKED)
        pair.kill("first")
        pair.begin("told-before-a-restart")
        pair.kill("standby")
        pair.start("standby")
        pair.start("first")
        pair.wait_for_turn("first")  # Which hears from the standby what that told before.
        time.sleep(ASKED)
        for name in OTHER:
            pair.kill(name)
        pair.start("standby")
        pair.begin("without-both")
        pair.start("first")
        pair.wait_for_turn("first")
        for name in list(pair.target.series):
            pair.target.series[name] = 0
        expected = {x: ["firing", "resolved"] for x in pair.told}
        wait_until("all is over", lambda: all(pair.story().get(x, [])[-1:] == ["resolved"] for x in expected), 30)
        time.sleep(3)
        assert pair.story() == expected, pair.story()
        print(f"the first and its standby, killed {ROUNDS} times in turn and twice both: {len(expected)} alerts, "
              "each told once and over once")


if __name__ == "__main__":
    main(sys.argv[1])
