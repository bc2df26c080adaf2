#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The wall clock jumps by an hour, ahead in one life and back in another, while alerts fire and others are pending
under a `for`. Ten seconds later some end and others begin. Prometheus with its Alertmanager, Tocsin with one, and
Tocsin alone, by the same clock: what a webhook is told, and how long no rule is evaluated.

clock_beside.py TOCSIN MOVED_CLOCK [seconds that are watched after the jump]"""

import concurrent.futures
import sys
import time

from alertmanager_down import ENGINE, Place
from fakes import Receiver, Target
from harness import ClockLab, get_json, need, wait_until

GROUPS = 10  # Each has a phase of its own, so that a jump meets them at all moments of their interval.
FOR = 30
CALM = 10  # Seconds from the jump until something changes.
GROUP = """
  - name: g{n}
    rules:
      - {{alert: Fault, expr: 'fault{{n="{n}"}} > 0', for: 3s}}
      - {{alert: Slow, expr: 'slow{{n="{n}"}} > 0', for: {seconds}s}}
"""
CHAT = """
route: {{receiver: chat, group_by: ['...'], group_wait: 200ms, group_interval: 1s, repeat_interval: 12h}}
receivers: [{{name: chat, webhook_configs: [{{url: 'http://{chat}/'}}]}}]
"""
STATE = "storage: {{path: {name}-state}}\n"
ENGINES = ("prometheus", "tocsin with an Alertmanager", "tocsin")


def all_of(what):
    return {f"{what}-{n}" for n in range(GROUPS)}


def let(target, what, value):
    metric = "slow" if what == "slow" else "fault"
    for n in range(GROUPS):
        target.series[f'{metric}{{n="{n}",x="{what}-{n}"}}'] = value


def states_of(groups):
    return {alert["labels"]["x"]: alert["state"] for group in groups for rule in group["rules"]
            for alert in rule["alerts"]}


class Engine:
    """One of ENGINES, what its webhook hears, and when its groups are evaluated."""

    def __init__(self, lab, name, target):
        self.name = name
        self.place = None if name == "tocsin" else Place(lab, name.replace(" ", "-"))
        self.chat = self.place.webhook if self.place else Receiver()
        config = ENGINE.format(target=target.address, more="", alertmanager=self.place.address if self.place else "")
        if name == "tocsin":
            config = config[:config.index("alerting:")] + CHAT.format(chat=self.chat.address)
        if name == "prometheus":
            self.server = lab.start_prometheus(config)
        else:
            file = name.replace(" ", "-")
            self.server = lab.start_tocsin(file, config + STATE.format(name=file))
        self.evaluated = {}  # Of each group: the time that it says, and when it said that first.
        self.gap = 0
        self.lost = set()  # What lasts and was not shown to fire, at some look.

    def told(self, what, status, since=0):
        """When each of them was told to be that for the first time since then."""
        told = {}
        for at, alert in self.chat.taken():
            if alert["status"] == status and alert["labels"]["x"] in all_of(what) and at >= since:
                told.setdefault(alert["labels"]["x"], at)
        return told

    def has_told(self, what, status, since=0):
        return len(self.told(what, status, since)) == GROUPS

    def groups(self):
        return get_json(f"http://{self.server}/api/v1/rules")["data"]["groups"]

    def are_pending(self):
        return list(states_of(self.groups()).values()).count("pending") == GROUPS

    def look(self):
        try:
            groups = self.groups()
        except OSError:  # It starts anew.
            return
        states = states_of(groups)
        self.lost |= {x for x in all_of("kept") if states.get(x) != "firing"}
        now = time.time()
        for group in groups:
            said, since = self.evaluated.setdefault(group["name"], (group["lastEvaluation"], now))
            self.gap = max(self.gap, now - since)
            if said != group["lastEvaluation"]:
                self.evaluated[group["name"]] = group["lastEvaluation"], now

    def repeats(self):
        """How many messages told what the one before had told of the same alert."""
        return sum(a == b for states in self.chat.story("x").values() for a, b in zip(states, states[1:]))


def when(told, since, after):
    """How many, and when."""
    late = sorted(at - since for at in told.values())
    return f"{len(told)} of {GROUPS}" + (f" ({late[0]:.1f} to {late[-1]:.1f} s after {after})" if told else "")


class Life:
    """Until the jump, and what is seen afterwards."""

    def __init__(self, lab, jump, seconds):
        self.target = Target()
        for what, value in (("kept", 1), ("ended", 1), ("begun", 0), ("slow", 0)):
            let(self.target, what, value)
        lab.write("rules.yaml", "groups:" + "".join(GROUP.format(n=n, seconds=FOR) for n in range(GROUPS)))
        self.engines = [Engine(lab, name, self.target) for name in ENGINES]
        for engine in self.engines:
            wait_until(f"{engine.name}: what fires is told",
                       lambda e=engine: e.has_told("kept", "firing") and e.has_told("ended", "firing"), 60)
        let(self.target, "slow", 1)
        self.due = time.time() + FOR
        for engine in self.engines:
            wait_until(f"{engine.name}: they are pending", engine.are_pending, 10)
        lab.set_clock(jump)
        self.jumped = self.changed = time.time()
        self.watch(CALM)
        for engine in self.engines:
            assert lab.is_seen_by(engine.server), engine.name
        let(self.target, "ended", 0)
        let(self.target, "begun", 1)
        self.changed = time.time()
        self.watch(seconds)

    def watch(self, seconds):
        """Until so many seconds after the jump."""
        while time.time() < self.jumped + seconds:
            for engine in self.engines:
                engine.look()
            time.sleep(0.1)

    def tell(self, engine, jump):
        early = sum(at < self.due for at in engine.told("slow", "firing").values())
        print(f"the clock jumps by {jump:+} s, {engine.name}:\n"
              f"  what fires is told to be over: {when(engine.told('kept', 'resolved'), self.jumped, 'the jump')}; "
              f"{len(engine.lost)} of {GROUPS} do not fire for a while in its own API\n"
              f"  what is pending fires: {when(engine.told('slow', 'firing'), self.due, 'it is due')}, {early} too early\n"
              f"  what begins is told: {when(engine.told('begun', 'firing'), self.changed, 'it began')}\n"
              f"  what ends is told: {when(engine.told('ended', 'resolved', self.changed), self.changed, 'it ended')}\n"
              f"  {engine.repeats()} messages tell again what was told; no evaluation for {engine.gap:.1f} s at most",
              flush=True)

    def hold(self, engine):
        """What Tocsin promises. An Alertmanager may believe by itself that an alert is over."""
        assert not engine.lost, engine.lost
        assert all(-0.5 < at - self.due < 5 for at in engine.told("slow", "firing").values())
        for what, status in (("slow", "firing"), ("begun", "firing"), ("ended", "resolved")):
            assert engine.has_told(what, status, self.jumped), (what, status)
        assert engine.gap < 5, engine.gap
        if not engine.place:
            assert engine.repeats() == 0
            assert not engine.told("kept", "resolved") and not engine.told("slow", "resolved")


def main(tocsin, moved_clock, seconds=400):
    need("prometheus", "prometheus-alertmanager")

    def live(jump):
        with ClockLab(tocsin, moved_clock) as lab:
            life = Life(lab, jump, int(seconds))
            for engine in life.engines:
                life.tell(engine, jump)
            for engine in life.engines[1:]:
                life.hold(engine)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:  # They mostly wait.
        list(pool.map(live, (3600, -3600)))


if __name__ == "__main__":
    main(*sys.argv[1:])
