#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two replicas beside one Alertmanager, and beside a cluster of two, with a webhook behind: one alert there
and one message, also when replicas are killed in turn, and Alertmanagers of the cluster in turn.

An Alertmanager that has just come back looks at what fires, and then waits for the gossip to settle and for
the others before it asks whether they have told it already. An alert that ends meanwhile, and whose end another
one tells, is told by it as firing once more, whoever sends the alerts: `told_by_hand` shows it without any
engine. So alerts end here once that wait is over."""

import json
import signal
import sys
import time
import urllib.request
from datetime import datetime, timezone

from alertmanager_down import Place
from fakes import Receiver, Target
from harness import Lab, active_alerts, free_port, get, get_json, need, wait_until

KILLS = 4  # In turn.
AWAY = 4   # Seconds.
BACK = (1, 15)  # Seconds: a Prometheus that starts scrapes for the first time after some ten.
ENDS = 3   # Side by side.

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s, resend_delay: 2s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: [{alertmanagers}]}}]}}]}}
storage: {{path: {name}-state}}
"""
RULES = "groups: [{name: g, rules: [{alert: Fault, expr: 'last_over_time(fault[3s]) > 0', for: 2s}]}]\n"

# Longer than the replicas are apart: an Alertmanager tells what it was told last.
ALERTMANAGER = """
route: {{receiver: chat, group_by: ['...'], group_wait: {group_wait}ms, group_interval: {group_interval}s, repeat_interval: 12h}}
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{webhook}/', send_resolved: true}}]}}]
"""
GROUP_WAIT, GROUP_INTERVAL = 0.2, 5
SETTLE, PEER_TIMEOUT = 2, 2
# How long a returned Alertmanager may go on telling of what it saw first.
STALE = GROUP_WAIT + SETTLE + PEER_TIMEOUT + 1


class Cluster:
    """Two Alertmanagers that gossip, before one webhook."""

    def __init__(self, lab):
        self.lab = lab
        self.webhook = Receiver()
        self.config = lab.write("cluster-am.yml", ALERTMANAGER.format(
            webhook=self.webhook.address, group_wait=round(GROUP_WAIT * 1000), group_interval=GROUP_INTERVAL))
        self.addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        self.gossip = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        self.processes = [None, None]
        self.starts = 0
        for index in range(2):
            self.come(index)
        self.wait_for_two()

    def come(self, index):
        self.starts += 1
        self.processes[index] = self.lab.start(
            f"am-{index}-{self.starts}", "prometheus-alertmanager", f"--config.file={self.config}",
            f"--storage.path={self.lab.path(f'cluster-am-{index}')}",
            f"--web.listen-address={self.addresses[index]}",
            f"--cluster.listen-address={self.gossip[index]}", f"--cluster.advertise-address={self.gossip[index]}",
            f"--cluster.peer={self.gossip[1 - index]}", "--cluster.gossip-interval=50ms",
            "--cluster.pushpull-interval=500ms", f"--cluster.peer-timeout={PEER_TIMEOUT}s", f"--cluster.settle-timeout={SETTLE}s",
            "--cluster.probe-interval=200ms", "--cluster.probe-timeout=100ms", "--cluster.reconnect-interval=500ms")
        wait_until("Alertmanager is ready", lambda: get(f"http://{self.addresses[index]}/-/ready"))

    def wait_for_two(self):
        for address in self.addresses:
            wait_until("the two have found each other", lambda a=address: len(
                get_json(f"http://{a}/api/v2/status")["cluster"]["peers"]) == 2, 30)

    def kill(self, index):
        self.processes[index].send_signal(signal.SIGKILL)
        self.processes[index].wait()

    def story(self):
        return self.webhook.story("x")


class Replicas:
    def __init__(self, lab, alertmanagers):
        self.lab = lab
        self.target = Target({'fault{x="1"}': 1})
        self.alertmanagers = alertmanagers
        self.running = {}
        lab.write("rules.yaml", RULES)
        for name in ("first", "second"):
            self.start(name)

    def start(self, name):
        listed = ", ".join(f"'{address}'" for address in self.alertmanagers)
        self.lab.start_tocsin(name, CONFIG.format(target=self.target.address, alertmanagers=listed, name=name))
        self.running[name] = self.lab.processes[-1][1]

    def kill(self, name):
        self.running[name].send_signal(signal.SIGKILL)
        self.running[name].wait()

    def begin(self, x):
        self.target.series[f'fault{{x="{x}"}}'] = 1

    def end_all(self):
        for name in list(self.target.series):
            self.target.series[name] = 0


PROMETHEUS = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs: [{{job_name: toy, static_configs: [{{targets: ['{target}']}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: [{alertmanagers}]}}]}}]}}
"""


class Prometheuses(Replicas):
    """Two Prometheus in their place."""

    def start(self, name):
        listed = ", ".join(f"'{address}'" for address in self.alertmanagers)
        config = self.lab.write(name + "-prometheus.yml",
                                PROMETHEUS.format(target=self.target.address, alertmanagers=listed))
        address = f"127.0.0.1:{free_port()}"
        self.running[name] = self.lab.start(
            name, "prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.lab.path(name + '-tsdb')}",
            f"--web.listen-address={address}", "--rules.alert.resend-delay=2s")
        wait_until("Prometheus is ready", lambda: get(f"http://{address}/-/ready"))


def watch(alertmanagers, seconds):
    """How often an Alertmanager had no alert of x=1, and more than one."""
    gone = many = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for address in alertmanagers:
            alerts = [a for a in active_alerts(address) if a["labels"]["x"] == "1"]
            gone += not alerts
            many += len(alerts) > 1
        time.sleep(0.1)
    return gone, many


def expect(place, told):
    expected = {x: ["firing", "resolved"] for x in told}
    wait_until("all is over", lambda: all(place.story().get(x, [])[-1:] == ["resolved"] for x in expected), 30)
    time.sleep(8)
    assert place.story() == expected, place.story()


def beside_one(tocsin):
    with Lab(tocsin) as lab:
        place = Place(lab, "shared")
        replicas = Replicas(lab, [place.address])
        wait_until("it is told", lambda: place.story() == {"1": ["firing"]}, 30)
        told = ["1"]
        for number in range(KILLS):
            name = ("first", "second")[number % 2]
            replicas.kill(name)
            told.append(f"during-{number}")
            replicas.begin(told[-1])  # The other one sees it begin.
            assert watch([place.address], AWAY) == (0, 0)
            replicas.start(name)
        replicas.end_all()
        expect(place, told)
        print(f"two replicas, {KILLS} times kill -9 in turn: {len(told)} alerts, each told once and over once, "
              "one in Alertmanager all the time")


def beside_a_cluster(tocsin):
    alertmanagers_alone(tocsin)
    with Lab(tocsin) as lab:
        cluster = Cluster(lab)
        replicas = Replicas(lab, cluster.addresses)
        wait_until("it is told", lambda: cluster.story() == {"1": ["firing"]}, 30)
        both_have_it = lambda: watch(cluster.addresses, 0.1) == (0, 0)
        wait_until("both have it", both_have_it, 10)
        told = ["1"]
        for number in range(KILLS):
            name, index = ("first", "second")[number % 2], number // 2 % 2
            replicas.kill(name)
            told.append(f"without-{name}-{number}")
            replicas.begin(told[-1])
            seen = watch(cluster.addresses, AWAY)
            assert seen == (0, 0), (number, seen)
            replicas.start(name)
            if number % 2 == 0:
                continue
            cluster.kill(index)
            told.append(f"without-alertmanager-{index}")
            replicas.begin(told[-1])
            assert watch([cluster.addresses[1 - index]], AWAY) == (0, 0)
            wait_until("the other one tells", lambda: cluster.story().get(told[-1]) == ["firing"], 20)
            cluster.come(index)
            cluster.wait_for_two()
            wait_until("it has been told again what fires", both_have_it, 20)
        time.sleep(STALE)
        replicas.end_all()
        expect(cluster, told)
        print(f"two replicas and a cluster of two Alertmanagers, {KILLS} replicas and {KILLS // 2} Alertmanagers "
              f"killed in turn: {len(told)} alerts, each told once and over once")


def killed_in_turn(kind, tocsin, back):
    """What is told of each alert when one replica after the other is killed, and is back for `back` seconds
    before the next one is."""
    with Lab(tocsin) as lab:
        cluster = Cluster(lab)
        replicas = kind(lab, cluster.addresses)
        wait_until("it is told", lambda: cluster.story() == {"1": ["firing"]}, 30)
        told = ["1"]
        for number in range(KILLS):
            name = ("first", "second")[number % 2]
            replicas.kill(name)
            told.append(f"during-{number}")
            replicas.begin(told[-1])
            time.sleep(AWAY)
            replicas.start(name)
            time.sleep(back)
        replicas.end_all()
        wait_until("all is over", lambda: all(s[-1] == "resolved" for s in cluster.story().values()), 30)
        time.sleep(GROUP_INTERVAL + 3)
        return {x: cluster.story().get(x, []) for x in told}


def in_turn(tocsin):
    need("prometheus")
    for back in BACK:
        for kind in (Replicas, Prometheuses):
            story = killed_in_turn(kind, tocsin, back)
            who = "Prometheus" if kind is Prometheuses else "Tocsin"
            once = sum(states == ["firing", "resolved"] for states in story.values())
            print(f"two {who} and a cluster of two Alertmanagers, {KILLS} times kill -9 in turn, back for {back} s in "
                  f"between: {sum(map(len, story.values()))} messages of {2 * len(story)}, {once} of {len(story)} alerts "
                  f"told and over once", flush=True)
            assert who != "Tocsin" or once == len(story), story


def post(addresses, since, until):
    """An alert, as whoever evaluates rules sends it."""
    stamp = lambda at: datetime.fromtimestamp(at, timezone.utc).isoformat()
    alert = {"labels": {"alertname": "Fault", "x": "1"}, "startsAt": stamp(since), "endsAt": stamp(until)}
    for address in addresses:
        urllib.request.urlopen(urllib.request.Request(f"http://{address}/api/v2/alerts", json.dumps([alert]).encode(),
                                                      {"Content-Type": "application/json"}), timeout=5).read()


def told_by_hand(lab):
    """The alert ends just after an Alertmanager has come back, and just before the other one tells: what is told."""
    cluster = Cluster(lab)
    since = time.time()
    post(cluster.addresses, since, since + 60)
    wait_until("it is told", lambda: cluster.story() == {"1": ["firing"]}, 30)
    time.sleep(2)
    cluster.kill(1)
    look = since + GROUP_WAIT
    while look < time.time() + 1.5:
        look += GROUP_INTERVAL
    time.sleep(look - 1.3 - time.time())
    cluster.come(1)
    cluster.wait_for_two()
    post(cluster.addresses, since, time.time() + 60)
    time.sleep(0.45)
    post(cluster.addresses, since, time.time())
    wait_until("it is over", lambda: cluster.story()["1"][-1] == "resolved", 30)
    time.sleep(STALE + GROUP_INTERVAL)
    return cluster.story()["1"]


def ends_after_a_return(cluster, replicas, x):
    """As told_by_hand, with somebody who evaluates rules."""
    replicas.begin(x)
    wait_until("it is told", lambda: cluster.story().get(x) == ["firing"], 30)
    began = cluster.webhook.alerts("x")[x]["startsAt"]
    # Both send what fires every 3 s from then on, and the first Alertmanager tells every 5 s: of an end that was
    # sent until 2.2 s after such a moment, 0.2 s later.
    sent = datetime.fromisoformat(began.replace("Z", "+00:00")).timestamp() + 3
    time.sleep(2)
    cluster.kill(1)
    while sent < time.time() + 1:
        sent += 15
    time.sleep(sent - 0.6 - time.time())
    cluster.come(1)
    cluster.wait_for_two()
    wait_until("it has it again", lambda: any(a["labels"]["x"] == x for a in active_alerts(cluster.addresses[1])), 20)
    replicas.target.series[f'fault{{x="{x}"}}'] = 0
    wait_until("it is over", lambda: cluster.story()[x][-1] == "resolved", 30)
    time.sleep(STALE + GROUP_INTERVAL)
    return cluster.story()[x]


def side_by_side(tocsin):
    """What Alertmanager does on its own is no more often with Tocsin than with Prometheus before it."""
    need("prometheus")
    for kind in (Prometheuses, Replicas):
        with Lab(tocsin) as lab:
            cluster = Cluster(lab)
            replicas = kind(lab, cluster.addresses)
            stories = [ends_after_a_return(cluster, replicas, f"ends-{number}") for number in range(ENDS)]
            twice = sum(story == ["firing", "resolved"] * 2 for story in stories)
            who = "Prometheus" if kind is Prometheuses else "Tocsin"
            print(f"two {who}: {twice} of {ENDS} alerts that end just after an Alertmanager has come back are "
                  f"told twice, {sum(story == ['firing', 'resolved'] for story in stories)} once")
            assert all(story[-1] == "resolved" and len(story) in (2, 4) for story in stories), stories


def alertmanagers_alone(tocsin):
    with Lab(tocsin) as lab:
        story = told_by_hand(lab)
        print(f"a cluster alone, an alert that ends just after an Alertmanager has come back: {', '.join(story)}")
        assert story[:1] == ["firing"] and story[-1:] == ["resolved"], story


def main(tocsin, beside="one"):
    need("prometheus-alertmanager")
    {"one": beside_one, "cluster": beside_a_cluster, "alone": alertmanagers_alone, "sides": side_by_side,
     "in-turn": in_turn}[beside](tocsin)


if __name__ == "__main__":
    main(*sys.argv[1:])
