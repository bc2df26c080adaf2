#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A mesh of 1,000 proxies, scraped every 10 s with the shipped rules: no iteration and no scrape may
be missed. Prints what it cost. Takes `minutes` (default 4) once the daemon is warm."""

import os
import re
import sys
import time

from harness import Lab, get, get_json, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
PROXIES = 1000
CONFIG = """
global: {{scrape_interval: 10s, scrape_timeout: 8s, evaluation_interval: 15s}}
rule_files: [{rules}/*.yaml]
scrape_configs: [{{job_name: mesh, file_sd_configs: [{{files: [targets.json]}}]}}]
"""


def metric(page, name):
    return sum(float(v) for v in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", page, re.M))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(tocsin, minutes):
    with Lab(tocsin) as lab:
        from harness import free_port
        port = free_port()
        lab.start("mesh", lab.tocsin, "simulate", "--listen", f"127.0.0.1:{port}", "--proxies", str(PROXIES),
                  "--sd", lab.path("targets.json"))
        wait_until("the mesh lists its targets", lambda: os.path.exists(lab.path("targets.json")), 120)
        rules = os.path.join(HERE, "..", "..", "rules", "linkerd")
        server = lab.start_tocsin("tocsin", CONFIG.format(rules=os.path.abspath(rules)))
        pid = lab.processes[-1][1].pid
        wait_until("every target is up", lambda: all(
            t["health"] == "up" for t in get_json(f"http://{server}/api/v1/targets", 20)["data"]["activeTargets"]), 90, 2)
        time.sleep(30)
        before, began = cpu_seconds(pid), time.monotonic()
        time.sleep(60 * minutes)
        page = get(f"http://{server}/metrics", 20)
        took = time.monotonic() - began
        slowest = max(float(v) for v in re.findall(r"tocsin_rule_group_last_duration_seconds{[^}]*} (\S+)", page))
        print(f"{PROXIES} proxies for {took:.0f} s on {os.cpu_count()} cores: "
              f"{metric(page, 'tocsin_series'):.0f} series kept, "
              f"{(cpu_seconds(pid) - before) / took:.3f} cores, "
              f"{metric(page, 'process_resident_memory_bytes') / 2**20:.0f} MiB, "
              f"slowest group {slowest * 1000:.1f} ms")
        missed = metric(page, "tocsin_rule_group_iterations_missed_total")
        late = metric(page, "tocsin_scrape_slots_missed_total")
        failed = metric(page, "tocsin_scrape_failures_total")
        print(f"missed iterations: {missed:.0f}, missed scrapes: {late:.0f}, failed scrapes: {failed:.0f}")
        firing = get_json(f"http://{server}/api/v1/alerts", 20)["data"]["alerts"]
        assert not firing, [a["labels"] for a in firing][:5]
        assert missed == 0 and late == 0 and failed == 0


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 4)
