#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alertmanager is away, with a webhook behind it: what begins and what ends in the meantime must be told
there afterwards, once, and nothing that lasts may be told again. Tocsin and Prometheus side by side,
each with an Alertmanager of its own that stops at the same moment and comes back with its memory.

alertmanager_down.py TOCSIN [seconds]"""

import sys
import time

from fakes import Receiver, Target
from harness import Lab, free_port, get, need, wait_until

RULES = "groups: [{name: g, rules: [{alert: Fault, expr: 'fault > 0'}]}]\n"

ENGINE = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s{more}}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
"""

ALERTMANAGER = """
route: {{receiver: chat, group_by: ['...'], group_wait: 200ms, group_interval: 1s, repeat_interval: 12h}}
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{webhook}/', send_resolved: true}}]}}]
"""

# What the webhook is to be told of each alert. The flash nobody could be told of in time: either its
# two ends or nothing.
EXPECTED = {"kept": ["firing", "resolved"], "ended": ["firing", "resolved"],
            "begun": ["firing", "resolved"]}


class Place:
    """An Alertmanager that can go away, and the webhook behind it."""

    def __init__(self, lab, name):
        self.lab, self.name, self.starts = lab, name, 0
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.webhook = Receiver()
        self.config = lab.write(f"{name}-am.yml", ALERTMANAGER.format(webhook=self.webhook.address))
        self.come()

    def come(self):
        self.starts += 1
        self.process = self.lab.start(
            f"{self.name}-am-{self.starts}", "prometheus-alertmanager", f"--config.file={self.config}",
            f"--storage.path={self.lab.path(self.name + '-am')}", f"--web.listen-address={self.address}",
            "--cluster.listen-address=")
        wait_until("Alertmanager is ready", lambda: get(f"http://{self.address}/-/ready"))

    def go(self):
        self.lab.stop(self.process)

    def story(self):
        return self.webhook.story("x")


def missing(story, expected):
    return sorted(f"{x} {status}" for x, states in expected.items() for status in states
                  if status not in story.get(x, []))


def repeated(story):
    return sorted(f"{x} {status}" for x, states in story.items() for status in set(states)
                  if states.count(status) > 1)


def out_of_order(story):
    return sorted(x for x, states in story.items() if "resolved" in states[:-1])


def outage(places, target, seconds):
    for place in places.values():
        place.go()
    target.series.update({'fault{x="begun"}': 1, 'fault{x="flash"}': 1})
    time.sleep(seconds / 3)
    target.series.update({'fault{x="ended"}': 0, 'fault{x="flash"}': 0})
    time.sleep(seconds * 2 / 3)
    for place in places.values():
        place.come()


def main(tocsin, seconds=12):
    need("prometheus", "prometheus-alertmanager")
    # After a long outage the next attempt is up to five minutes away.
    patience = min(330, 20 + 2 * seconds)
    target = Target({'fault{x="kept"}': 1, 'fault{x="ended"}': 1})
    with Lab(tocsin) as lab:
        lab.write("rules.yaml", RULES)
        places = {name: Place(lab, name) for name in ("tocsin", "prometheus")}
        lab.start_tocsin("tocsin", ENGINE.format(
            target=target.address, alertmanager=places["tocsin"].address, more=", resend_delay: 2s")
            + "storage: {path: state}\n")
        lab.start_prometheus(ENGINE.format(target=target.address, more="",
                                           alertmanager=places["prometheus"].address),
                             "--rules.alert.resend-delay=2s")
        for name, place in places.items():
            wait_until(f"{name}: both are told",
                       lambda p=place: p.story() == {"kept": ["firing"], "ended": ["firing"]}, 30)
        outage(places, target, seconds)
        back = time.monotonic()
        wait_until("Tocsin: what began and what ended is told",
                   lambda: not missing(places["tocsin"].story(), {"ended": ["resolved"], "begun": ["firing"]}),
                   patience)
        late = time.monotonic() - back
        time.sleep(max(0.0, 5 - late))
        assert "resolved" not in places["tocsin"].story()["kept"], places["tocsin"].story()
        target.series.update({'fault{x="kept"}': 0, 'fault{x="begun"}': 0})
        wait_until("Tocsin: all is over", lambda: not missing(places["tocsin"].story(), EXPECTED), 30)
        time.sleep(3)
        for name, place in places.items():
            story = place.story()
            lost, twice, mixed = missing(story, EXPECTED), repeated(story), out_of_order(story)
            print(f"Alertmanager down {seconds} s, {name}: lost {lost or 0}, twice {twice or 0}, "
                  f"out of order {mixed or 0}; of the flash told {story.get('flash', 'nothing')}")
            if name == "tocsin":
                print(f"  all told {late:.1f} s after it was back")
                assert not lost and not twice and not mixed, story


if __name__ == "__main__":
    main(sys.argv[1], *(int(a) for a in sys.argv[2:]))
