#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Receivers that misbehave, each in a way of its own, all at once beside one that is well: nothing is
lost, nothing that was acknowledged is told twice, no alert fires after its end, and the one that is
well is not held up. Then the same of Alertmanagers, beside Prometheus; and a webhook that is busy, which is
told by Tocsin and by an Alertmanager behind Prometheus.

receivers.py TOCSIN                                what takes a minute or two
receivers.py TOCSIN busy [seconds group_interval]  only the webhook that is busy; 20 and 300 with the usual ones"""

import datetime as dt
import sys
import time

from fakes import RETRY_AFTER, Receiver, Target
from harness import Lab, get, need, wait_until

OUTAGE = 10  # Seconds.

RULES = "groups: [{name: g, rules: [{alert: Fault, expr: 'fault > 0'}]}]\n"

ENGINE = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
{more}
"""

# How each misbehaves, and what it must have been told in the end. Who answers 400 has said that it will
# never take the message; it hears of what comes later.
MODES = ["ok", "500", "hangs", "closes half-way", "refuses", "429, seconds", "429, date", "400"]
ALERTMANAGER_MODES = ["500", "400", "closes half-way", "429, seconds"]
WHOLE = {"kept": ["firing", "resolved"], "ended": ["firing", "resolved"], "begun": ["firing", "resolved"]}
REFUSED = {"kept": ["firing", "resolved"], "ended": ["firing"], "begun": ["resolved"]}


def routes(receivers):
    lines = ["route:", "  receiver: r0", "  group_by: ['...']", "  group_wait: 100ms", "  group_interval: 500ms",
             "  routes:"]
    lines += [f"    - {{receiver: r{i}, continue: true}}" for i in range(len(receivers))]
    lines.append("receivers:")
    lines += [f"  - {{name: r{i}, webhook_configs: [{{url: 'http://{r.address}/', timeout: 2s}}]}}"
              for i, r in enumerate(receivers)]
    return "\n".join(lines) + "\nstorage: {path: state}\n"


def first_arrival(receiver, x, status):
    return next((r["at"] for r in receiver.requests
                 if any(a["labels"]["x"] == x and a["status"] == status for a in r["body"]["alerts"])), None)


def judge(mode, receiver):
    """What went wrong with one receiver: nothing, as a rule."""
    story = receiver.story("x")
    expected = REFUSED if mode == "400" else WHOLE
    problems = [f"{mode}: {x} was told {story.get(x)}, not {states}"
                for x, states in expected.items() if story.get(x) != states]
    if mode.startswith("429"):
        problems += [f"{mode}: asked again after {later['at'] - earlier['at']:.1f} s"
                     for earlier, later in zip(receiver.requests, receiver.requests[1:])
                     if earlier["status"] == 429 and later["at"] - earlier["at"] < RETRY_AFTER - 1.1]
    return problems


def misbehaving_webhooks(lab):
    target = Target({'fault{x="kept"}': 1, 'fault{x="ended"}': 1})
    receivers = [Receiver() for _ in MODES]
    by_mode = dict(zip(MODES, receivers))
    server = lab.start_tocsin("tocsin", ENGINE.format(target=target.address, more=routes(receivers)))
    for receiver in receivers:
        wait_until("all are told", lambda r=receiver: r.story("x") == {"kept": ["firing"], "ended": ["firing"]}, 30)
    for mode, receiver in by_mode.items():
        receiver.behave(mode)
    target.series.update({'fault{x="begun"}': 1, 'fault{x="ended"}': 0})
    changed = time.time()
    time.sleep(OUTAGE)
    page, metrics = get(f"http://{server}/"), get(f"http://{server}/metrics")
    name = f"r{MODES.index('400')} (webhook)"
    assert f'tocsin_notifications_given_up_total{{receiver="{name}"}} 2' in metrics
    assert name in lab.log("tocsin") and "refuses a message" in lab.log("tocsin")
    assert "status 400" in page or "refuse" in page, "the page tells of the refusal"
    for receiver in receivers:
        receiver.behave("ok")
    back = time.time()
    for mode, receiver in by_mode.items():
        if mode != "400":
            wait_until(f"{mode}: the beginning and the end are told", lambda r=receiver: (
                r.story("x").get("ended") == ["firing", "resolved"] and r.story("x").get("begun") == ["firing"]), 40)
    late = time.time() - back
    target.series.update({'fault{x="kept"}': 0, 'fault{x="begun"}': 0})
    for mode, receiver in by_mode.items():
        wait_until(f"{mode}: all is over", lambda r=receiver: r.story("x").get("kept") == ["firing", "resolved"], 40)
    time.sleep(2)
    problems = [problem for mode, receiver in by_mode.items() for problem in judge(mode, receiver)]
    assert not problems, problems
    healthy = max(first_arrival(by_mode["ok"], "begun", "firing"), first_arrival(by_mode["ok"], "ended", "resolved"))
    assert healthy - changed < 4, healthy - changed
    print(f"{len(MODES)} webhooks, {OUTAGE} s of {', '.join(MODES[1:])}: lost 0, twice 0, out of order 0; the "
          f"healthy one was told in {healthy - changed:.1f} s, the last other {late:.1f} s after it was well")


def when_known(receiver, x, is_over):
    """When the Alertmanager took the alert's beginning, or its end; None while it has not."""
    for at, alert in receiver.taken():
        ended = dt.datetime.fromisoformat(alert["endsAt"].replace("Z", "+00:00")).timestamp() <= at + 1
        if alert["labels"].get("x") == x and ended == is_over:
            return at
    return None


def alerting(addresses):
    return f"alerting: {{alertmanagers: [{{static_configs: [{{targets: {addresses}}}]}}]}}"


def start_engine(lab, engine, target, alertmanagers):
    config = ENGINE.format(target=target.address, more=alerting([a.address for a in alertmanagers]))
    if engine == "tocsin":
        lab.start_tocsin("tocsin", config)
    else:
        lab.start_prometheus(config)


def misbehaving_alertmanagers(lab, engine):
    """How late each Alertmanager knows what began and ended while it misbehaved."""
    target = Target({'fault{x="kept"}': 1, 'fault{x="ended"}': 1})
    by_mode = {mode: Receiver() for mode in ALERTMANAGER_MODES}
    start_engine(lab, engine, target, by_mode.values())
    for receiver in by_mode.values():
        for x in ("kept", "ended"):
            wait_until("all are told", lambda r=receiver, x=x: when_known(r, x, False), 30)
    for mode, receiver in by_mode.items():
        receiver.behave(mode)
    target.series.update({'fault{x="begun"}': 1, 'fault{x="ended"}': 0})
    time.sleep(OUTAGE)
    for receiver in by_mode.values():
        receiver.behave("ok")
    back = time.time()
    late = {}
    for mode, receiver in by_mode.items():
        late[mode] = max(wait_until(f"{mode}: {x} is known", lambda r=receiver, x=x, o=over: when_known(r, x, o), 100)
                         for x, over in (("begun", False), ("ended", True))) - back
    print(f"Alertmanagers, {OUTAGE} s of trouble, {engine}: after it they knew what had begun and ended "
          + ", ".join(f"({mode}) {seconds:.1f} s" for mode, seconds in late.items()))
    return late


def a_hanging_alertmanager(lab, engine):
    """How late a healthy Alertmanager is told of an alert while another hangs."""
    target = Target({'fault{x="kept"}': 1})
    healthy, hanging = Receiver(), Receiver()
    start_engine(lab, engine, target, (healthy, hanging))

    def told(x):
        return next((r["at"] for r in healthy.requests for a in r["body"] if a["labels"].get("x") == x), None)

    for receiver in (healthy, hanging):
        wait_until("both are told", lambda r=receiver: r.requests, 30)
    hanging.behave("hangs")
    target.series['fault{x="first"}'] = 1
    wait_until("the first is told", lambda: told("first"), 30)
    target.series['fault{x="second"}'] = 1
    changed = time.time()
    late = wait_until("the second is told", lambda: told("second"), 40) - changed
    hanging.behave("ok")
    print(f"two Alertmanagers, one hangs, {engine}: the other is told of the next alert after {late:.1f} s")
    return late


ROUTE = """
route: {{receiver: chat, group_by: ['...'], group_wait: 1s, group_interval: {group_interval}s, repeat_interval: 12h}}
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{webhook}/', send_resolved: true}}]}}]
"""


def a_busy_webhook(lab, busy=5, group_interval=12):
    """It answers 429 for `busy` seconds and says how long that will be. Meanwhile an alert begins that lasts, and
    one that is over when it has been well for as long, but before the group's next turn."""
    target = Target({'fault{x="before"}': 1})
    webhooks = {name: Receiver() for name in ("tocsin", "alertmanager")}
    routes_of = {name: ROUTE.format(group_interval=group_interval, webhook=w.address) for name, w in webhooks.items()}
    lab.start_tocsin("tocsin", ENGINE.format(
        target=target.address, more=routes_of["tocsin"] + "storage: {path: state}\n"))
    behind = lab.start_alertmanager(route=routes_of["alertmanager"])
    lab.start_prometheus(ENGINE.format(target=target.address, more=alerting([behind])))
    for webhook in webhooks.values():
        wait_until("it is told", lambda w=webhook: w.story("x") == {"before": ["firing"]}, 40)
    well_at = time.time() + busy
    for webhook in webhooks.values():
        webhook.well_at = well_at
        webhook.behave("429 until it is well")
    target.series.update({'fault{x="lasts"}': 1, 'fault{x="passes"}': 1})
    time.sleep(2 * busy)
    target.series['fault{x="passes"}'] = 0
    expected = {"before": ["firing"], "lasts": ["firing"], "passes": ["firing", "resolved"]}
    wait_until("Tocsin: all is told", lambda: webhooks["tocsin"].story("x") == expected, group_interval + 20)
    wait_until("Alertmanager: what lasts is told",
               lambda: "lasts" in webhooks["alertmanager"].story("x"), group_interval + 20)
    time.sleep(3)
    for name, webhook in webhooks.items():
        late = max(at for at, alert in webhook.taken() if alert["labels"]["x"] == "lasts") - well_at
        refused = sum(r["status"] == 429 for r in webhook.requests)
        print(f"a webhook that answers 429 with Retry-After for {busy} s (group_interval {group_interval} s), {name}: "
              f"refused {refused} times; what lasts is told {late:.1f} s after it is well, of what passes: "
              f"{' and '.join(webhook.story('x').get('passes', ['nothing']))}")
        if name == "tocsin":
            assert webhook.story("x") == expected and late < 3 and refused <= 2, (webhook.story("x"), late, refused)


def main(tocsin, only=None, *how_long):
    need("prometheus", "prometheus-alertmanager")
    with Lab(tocsin) as lab:
        lab.write("rules.yaml", RULES)
        a_busy_webhook(lab, *how_long)
    if only:
        return
    with Lab(tocsin) as lab:
        lab.write("rules.yaml", RULES)
        misbehaving_webhooks(lab)
    for engine in ("tocsin", "prometheus"):
        with Lab(tocsin) as lab:
            lab.write("rules.yaml", RULES)
            late = a_hanging_alertmanager(lab, engine)
            assert engine != "tocsin" or late < 4, late
        with Lab(tocsin) as lab:
            lab.write("rules.yaml", RULES)
            late = misbehaving_alertmanagers(lab, engine)
            # Who has refused for good hears of it with the next word that is due, after resend_delay. The others
            # are asked again 16 s after the last time at most.
            assert engine != "tocsin" or all(s < (62 if mode == "400" else 18) for mode, s in late.items()), late


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
