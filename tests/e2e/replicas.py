#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two replicas beside one Alertmanager with a webhook behind it: one alert there and one message, also
when both are killed in turn."""

import signal
import sys
import time

from alertmanager_down import Place
from fakes import Target
from harness import Lab, active_alerts, need, wait_until

KILLS = 4  # In turn.

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s, resend_delay: 1s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
storage: {{path: {name}-state}}
"""
RULES = "groups: [{name: g, rules: [{alert: Fault, expr: 'last_over_time(fault[3s]) > 0', for: 2s}]}]\n"


def main(tocsin):
    need("prometheus-alertmanager")
    target = Target({'fault{x="1"}': 1})
    with Lab(tocsin) as lab:
        lab.write("rules.yaml", RULES)
        place = Place(lab, "shared")
        running = {}

        def start(name):
            lab.start_tocsin(name, CONFIG.format(target=target.address, alertmanager=place.address, name=name))
            running[name] = lab.processes[-1][1]

        for name in ("first", "second"):
            start(name)
        wait_until("it is told", lambda: place.story() == {"1": ["firing"]}, 30)
        seen, gone = set(), 0
        for number in range(KILLS):
            name = ("first", "second")[number % 2]
            running[name].send_signal(signal.SIGKILL)
            running[name].wait()
            target.series[f'fault{{x="during-{number}"}}'] = 1  # The other one sees it begin.
            deadline = time.monotonic() + 4
            while time.monotonic() < deadline:
                alerts = active_alerts(place.address)
                gone += not any(a["labels"]["x"] == "1" for a in alerts)
                seen.add(len([a for a in alerts if a["labels"]["x"] == "1"]))
                time.sleep(0.1)
            start(name)
        for name in list(target.series):
            target.series[name] = 0
        expected = {x: ["firing", "resolved"] for x in ["1"] + [f"during-{n}" for n in range(KILLS)]}
        wait_until("all is over", lambda: all(place.story().get(x, [])[-1:] == ["resolved"] for x in expected), 30)
        time.sleep(2)
        assert place.story() == expected, place.story()
        assert gone == 0 and seen == {1}, (gone, seen)
        print(f"two replicas, {KILLS} times kill -9 in turn: {len(expected)} alerts, each told once and over once, "
              "one in Alertmanager all the time")


if __name__ == "__main__":
    main(sys.argv[1])
