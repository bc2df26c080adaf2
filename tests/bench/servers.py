# SPDX-License-Identifier: Apache-2.0
"""The servers that side_by_side.py compares. Each is started with its defaults on the mesh of a lab,
and says what it costs, how long its rules take and what fires."""

import json
import os
import re
import shutil
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import free_port, get, get_json, wait_until  # noqa: E402

ASK_TIMEOUT = 60
ADDED_BY_VMALERT = ("alertgroup",)


def config_text(setup, targets):
    """What Prometheus, VictoriaMetrics and Tocsin read alike."""
    return (f"global: {{scrape_interval: {setup.interval}, scrape_timeout: {setup.timeout}, "
            f"evaluation_interval: {setup.interval}}}\n"
            f"scrape_configs: [{{job_name: mesh, file_sd_configs: [{{files: ['{targets}']}}]}}]\n")


def read_metrics(address):
    """name → [(labels as text, value)]"""
    out = {}
    for line in get(f"http://{address}/metrics", ASK_TIMEOUT).splitlines():
        found = re.match(r"([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$", line)
        if found:
            out.setdefault(found[1], []).append((found[2] or "", float(found[3])))
    return out


def total(metrics, name):
    return sum(value for _, value in metrics.get(name, []))


def query(address, expression, at):
    form = urllib.parse.urlencode({"query": expression, "time": at})
    result = get_json(f"http://{address}/api/v1/query?{form}", ASK_TIMEOUT)["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


def cpu_seconds(process_id):
    """User and system time, of threads that have ended, too."""
    with open(f"/proc/{process_id}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(process_id):
    with open(f"/proc/{process_id}/status") as status:
        return int(re.search(r"^VmRSS:\s+(\d+) kB$", status.read(), re.M)[1]) * 1024


class Server:
    """One of the compared. `sample()` is called a few times per evaluation."""

    name = ""
    programs = ()
    lags = 0  # Seconds until a query sees a sample.

    def __init__(self):
        self.processes = []
        self.blind = 0  # Alerts kept although the rules do not find them: a target is down.
        self.durations = {}  # By evaluation, in seconds.
        self.resident = []

    @classmethod
    def missing(cls):
        return [p for p in cls.programs if shutil.which(p) is None]

    def cpu(self):
        return sum(cpu_seconds(p.pid) for p in self.processes)

    def begin(self):
        """Measuring begins now."""
        self.durations, self.resident = {}, []
        self.cpu_before, self.began = self.cpu(), time.time()
        self.missed_before = self.missed_evaluations()

    def end(self):
        self.ended = time.time()
        self.cores = (self.cpu() - self.cpu_before) / (self.ended - self.began)
        self.missed = self.missed_evaluations() - self.missed_before

    def sample(self):
        self.resident.append(sum(resident_bytes(p.pid) for p in self.processes))
        self.note_durations()

    def missed_scrapes(self, expected):
        """Of the measured time: how many of `expected` there are not, whether they went well or not.
        Half an interval at either end may belong to the neighbour."""
        seconds = int(self.ended - self.began)
        return max(0, expected - query(self.address, f"sum(count_over_time(up[{seconds}s]))", self.ended))

    def failed_scrapes(self):
        """Of the measured time. Some are to fail: two of the faults are about that."""
        seconds = int(self.ended - self.began)
        return query(self.address, f"sum(count_over_time(up[{seconds}s])) - "
                                   f"sum(sum_over_time(up[{seconds}s]))", self.ended)

    def firing(self):
        """What the rules' last evaluation found."""
        url = f"http://{self.alerts_address()}/api/v1/alerts"
        alerts = get_json(url, ASK_TIMEOUT)["data"]["alerts"] or []  # vmalert says null for none.
        firing = [a for a in alerts if a["state"] == "firing"]
        self.blind = sum("blindSince" in a for a in firing)
        return {tuple(sorted((k, v) for k, v in a["labels"].items() if k not in ADDED_BY_VMALERT))
                for a in firing if "blindSince" not in a}

    def alerts_address(self):
        return self.address

    def keep_last_duration(self, prefix):
        metrics = read_metrics(self.address)
        took = metrics.get(f"{prefix}_rule_group_last_duration_seconds", [])
        when = metrics.get(f"{prefix}_rule_group_last_evaluation_timestamp_seconds", [])
        if len(took) == len(when) == 1 and when[0][1] >= self.began:
            self.durations[when[0][1]] = took[0][1]

    def missed_evaluations(self):
        return total(read_metrics(self.address), self.missed_metric)


class Prometheus(Server):
    name = "Prometheus"
    programs = ("prometheus",)
    missed_metric = "prometheus_rule_group_iterations_missed_total"

    def start(self, lab, setup, targets):
        config = f"rule_files: ['{setup.rules}']\n" + config_text(setup, targets)
        self.address = lab.start_prometheus(config, "--log.level=warn")
        self.processes = [lab.processes[-1][1]]

    def note_durations(self):
        self.keep_last_duration("prometheus")

    def held(self):
        return total(read_metrics(self.address), "prometheus_tsdb_head_series")


class Tocsin(Server):
    name = "Tocsin"
    missed_metric = "tocsin_rule_group_iterations_missed_total"

    def start(self, lab, setup, targets):
        self.address = lab.start_tocsin("tocsin", f"rule_files: ['{setup.rules}']\n" + config_text(setup, targets))
        self.processes = [lab.processes[-1][1]]

    def note_durations(self):
        self.keep_last_duration("tocsin")

    def begin(self):
        super().begin()
        self.scrapes_before = self.scrapes()

    def end(self):
        super().end()
        self.slots, self.failures = (a - b for a, b in zip(self.scrapes(), self.scrapes_before))

    def scrapes(self):
        """(missed, failed), since the start."""
        metrics = read_metrics(self.address)
        return tuple(total(metrics, f"tocsin_scrape_{what}_total") for what in ("slots_missed", "failures"))

    def missed_scrapes(self, expected):
        return self.slots  # It counts them itself; `up` is not kept where no rule asks for it.

    def failed_scrapes(self):
        return self.failures

    def held(self):
        return total(read_metrics(self.address), "tocsin_series")


class Victoria(Server):
    """VictoriaMetrics, which scrapes and answers, and vmalert, which evaluates and asks it."""

    name = "VictoriaMetrics + vmalert"
    programs = ("victoria-metrics", "vmalert")
    missed_metric = "vmalert_iteration_missed_total"
    lags = 35  # -search.latencyOffset is 30s.

    def start(self, lab, setup, targets):
        self.address, self.vmalert = (f"127.0.0.1:{free_port()}" for _ in range(2))
        config = lab.write("victoria.yml", config_text(setup, targets).replace(
            f", evaluation_interval: {setup.interval}", ""))
        store = lab.start("victoria-metrics", "victoria-metrics", f"-promscrape.config={config}",
                          f"-storageDataPath={lab.path('victoria')}", f"-httpListenAddr={self.address}",
                          "-loggerLevel=WARN")
        wait_until("VictoriaMetrics is ready", lambda: get(f"http://{self.address}/health"))
        rules = lab.start("vmalert", "vmalert", f"-rule={setup.rules}",
                          f"-evaluationInterval={setup.interval}",
                          f"-datasource.url=http://{self.address}",
                          f"-remoteWrite.url=http://{self.address}",
                          f"-notifier.url=http://{setup.receiver}",
                          f"-httpListenAddr={self.vmalert}", "-loggerLevel=WARN")
        wait_until("vmalert is ready", lambda: get(f"http://{self.vmalert}/health"))
        self.processes = [store, rules]
        self.last = None

    def alerts_address(self):
        return self.vmalert

    def missed_evaluations(self):
        return total(read_metrics(self.vmalert), self.missed_metric)

    def note_durations(self):
        """It counts evaluations and their seconds; looked at often enough, one at a time."""
        metrics = read_metrics(self.vmalert)
        now = tuple(total(metrics, f"vmalert_iteration_duration_seconds_{part}") for part in ("count", "sum"))
        if self.last is not None and now[0] > self.last[0]:
            self.durations[now[0]] = (now[1] - self.last[1]) / (now[0] - self.last[0])
        self.last = now

    def held(self):
        metrics = read_metrics(self.address)
        return sum(value for labels, value in metrics.get("vm_cache_entries", [])
                   if 'type="storage/hour_metric_ids"' in labels)


SERVERS = {"prometheus": Prometheus, "victoria": Victoria, "tocsin": Tocsin}
