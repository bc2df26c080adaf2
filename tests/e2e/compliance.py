#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prometheus' alert-generator compliance in real time, its first case: pending, firing, resolved. The same
target and rule in Tocsin and in Prometheus, each telling a receiver that speaks Alertmanager's API; the
same is expected of both. (All four cases run on a virtual clock in tests/daemon/compliance_test.cc.)"""

import datetime
import sys
import time
import urllib.parse

from fakes import Receiver, Target
from harness import Lab, get_json, need, wait_until

FOR, RESEND, INTERVAL = 3, 2, 1  # Seconds.
SLACK = 2.5 * INTERVAL           # A scrape and an evaluation, and a machine that is busy.

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s, external_labels: {{cluster: c}}{more}}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{receiver}']}}]}}]}}
"""
RULES = """
groups:
  - name: g
    rules:
      - alert: Fault
        expr: fault > 10
        for: %ds
        labels: {foo: bar, ba_dum: tss}
        annotations: {description: 'it is {{ $value }}', summary: 'of {{ $labels.x }}'}
""" % FOR


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Engine:
    def __init__(self, name, lab, target):
        self.name = name
        self.receiver = Receiver()
        more = ", resend_delay: 2s" if name == "tocsin" else ""
        config = CONFIG.format(target=target.address, receiver=self.receiver.address, more=more)
        self.address = (lab.start_tocsin("tocsin", config) if name == "tocsin" else
                        lab.start_prometheus(config, f"--rules.alert.resend-delay={RESEND}s"))

    def state(self):
        alerts = get_json(f"http://{self.address}/api/v1/alerts")["data"]["alerts"]
        return [(a["state"], a["value"]) for a in alerts]

    def messages(self):
        """When each came, and what it says; of the alert that is told of."""
        return [(r["at"], a) for r in list(self.receiver.requests) for a in r["body"]]

    def is_over(self, message):
        at, alert = message
        return seconds(alert["endsAt"]) <= at


def check(engine, began, ended):
    told = engine.messages()
    firing = [m for m in told if not engine.is_over(m)]
    over = [m for m in told if engine.is_over(m)]
    first = firing[0][1]
    assert first["labels"] == {"alertname": "Fault", "foo": "bar", "ba_dum": "tss", "x": "1", "job": "toy", "cluster": "c",
                               "instance": first["labels"]["instance"]}, first
    # Prometheus writes every value of a sample; Tocsin adds annotations of its own.
    assert first["annotations"]["summary"] == "of 1" and first["annotations"]["description"] == "it is 11", first
    assert "expr=fault" in urllib.parse.unquote(first["generatorURL"]), first
    starts = {m[1]["startsAt"] for m in told}
    assert len(starts) == 1, starts
    late = seconds(first["startsAt"]) - began
    # Prometheus' timestamps waver by a millisecond, and `for` may end an evaluation or two later.
    slack = SLACK if engine.name == "tocsin" else SLACK + 2 * INTERVAL
    assert FOR <= late + 0.1 and late <= FOR + slack, late
    for at, alert in firing:
        valid = seconds(alert["endsAt"]) - at
        assert abs(valid - 4 * RESEND) <= SLACK, valid
    gaps = [b[0] - a[0] for a, b in zip(firing, firing[1:])]
    assert gaps and all(RESEND <= gap + 0.5 and gap <= RESEND + SLACK for gap in gaps), gaps
    assert told.index(over[0]) == len(firing), "it fires after it is over"
    assert len({m[1]["endsAt"] for m in over}) == 1 and len(over) > 1, "the end is told again, the same"
    assert 0 <= seconds(over[0][1]["endsAt"]) - ended + 0.1 <= SLACK, over[0]
    print(f"{engine.name}: fires {late:.1f} s after the fault, told {len(firing)} times while it does, and "
          f"{len(over)} times that it is over")


def main(tocsin):
    need("prometheus")
    target = Target({'fault{x="1"}': 9})
    with Lab(tocsin) as lab:
        lab.write("rules.yaml", RULES)
        engines = [Engine(name, lab, target) for name in ("tocsin", "prometheus")]
        time.sleep(3)
        assert [e.state() for e in engines] == [[], []]
        target.series['fault{x="1"}'] = 11
        began = time.time()
        for engine in engines:
            wait_until("it is pending", lambda e=engine: [s for s, _ in e.state()] == ["pending"], FOR)
            assert not engine.messages(), "nobody is told of what is pending"
        for engine in engines:
            wait_until("it fires", lambda e=engine: [s for s, _ in e.state()] == ["firing"], 2 * FOR + SLACK)
        time.sleep(4 * RESEND)
        target.series['fault{x="1"}'] = 10
        ended = time.time()
        for engine in engines:
            wait_until("it is over", lambda e=engine: e.state() == [], SLACK + 5)
        time.sleep(3 * RESEND)
        for engine in engines:
            check(engine, began, ended)


if __name__ == "__main__":
    main(sys.argv[1])
