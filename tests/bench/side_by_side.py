#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the same plain rules on the same mesh cost in Prometheus, in VictoriaMetrics with vmalert, and
in Tocsin, as one table. side_by_side.sh names the options.

Every server runs with its defaults, scrapes the simulated mesh itself, and evaluates the rules of
side_by_side.rules.yaml. Measuring begins when windows are full; the hour of the traffic average is
not waited for: it is as long as the run. At the end the same alerts must fire everywhere, each of
the rules' at least once, or the run fails. The simulator's own CPU is in no column."""

import argparse
import collections
import contextlib
import http.server
import os
import re
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import bench_mesh  # noqa: E402
from harness import SKIPPED, Lab, wait_until  # noqa: E402
from servers import SERVERS, cpu_seconds  # noqa: E402

RULES = os.path.join(HERE, "side_by_side.rules.yaml")
TOCSIN = os.path.join(HERE, "..", "..", "build", "release", "tocsin")
SAMPLES_PER_INTERVAL = 3
LONGEST_TIMEOUT = 10  # Seconds; Prometheus' default.
FEWEST_PROXIES = 20   # Each fault has a deployment of its own.
MIB = 1 << 20
AGREE_SECONDS = 180

Mesh = collections.namedtuple("Mesh", "targets series bytes cores")


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes alerts and forgets them: vmalert does not start without somebody to tell."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def receiver():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def seconds_of(text):
    found = re.fullmatch(r"(\d+)(s|m)", text)
    if not found:
        raise argparse.ArgumentTypeError("write 15s or 1m")
    return int(found[1]) * (60 if found[2] == "m" else 1)


class Setup:
    """What every server is told."""

    def __init__(self, args, receiver_address):
        self.args = args
        self.interval = f"{args.interval}s"
        self.timeout = f"{min(args.interval, LONGEST_TIMEOUT)}s"
        self.receiver = receiver_address
        with open(RULES) as text:
            self.rule_text = text.read().replace("[5m]", f"[{args.window}s]")
        self.alerts = set(re.findall(r"- alert: (\w+)", self.rule_text))


def note(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def measured(servers, mesh_process, args):
    """Lets the measured time pass; returns the cores that the simulator took."""
    for server in servers:
        server.begin()
    before, began = cpu_seconds(mesh_process.pid), time.monotonic()
    due = began
    while due < began + 60 * args.minutes:
        for server in servers:
            server.sample()
        due += args.interval / SAMPLES_PER_INTERVAL
        time.sleep(max(0, due - time.monotonic()))
    for server in servers:
        server.sample()
        server.end()
    return (cpu_seconds(mesh_process.pid) - before) / (time.monotonic() - began)


def agree(servers, setup, fired):
    """What fires, once it is the same on all of them, on `fired`, too, unless that is None, and does
    not change any more; None, and the differences are printed, if that does not come about."""
    seen = {}
    others = [fired] if fired is not None else []
    looks = [None]

    def same():
        for server in servers:
            seen[server.name] = server.firing()
        one, *rest = list(seen.values()) + others
        names = {dict(labels)["alertname"] for labels in one}
        looks.append(one if names == setup.alerts and all(s == one for s in rest) else None)
        return looks[-1] if looks[-1] == looks[-2] else None

    try:
        return wait_until("the same alerts fire everywhere", same, AGREE_SECONDS, setup.args.interval)
    except AssertionError:
        everywhere = set.intersection(*seen.values(), *others)
        for name, alerts in list(seen.items()) + [("the one before", o) for o in others]:
            for alert in sorted(alerts - everywhere):
                print(f"fires on {name} only, or not everywhere: {dict(alert)}")
        names = {dict(labels)["alertname"] for labels in everywhere}
        print(f"fire on none in common: {', '.join(sorted(setup.alerts - names)) or '-'}")
        return None


def run(servers, setup, fired):
    """Starts a mesh and the servers, measures, and compares; returns the mesh and what fires."""
    args = setup.args
    with Lab(args.tocsin) as lab:
        setup.rules = lab.write("rules.yaml", setup.rule_text)
        spike_after = 60 * (args.warm + args.minutes) - args.window / 2
        lab.start_mesh(lab.write("mesh.yaml", bench_mesh.mesh(args.proxies, spike_after)))
        mesh_process = lab.processes[-1][1]
        targets_file = lab.path("targets.json")
        pages = bench_mesh.count_pages(targets_file)
        note(f"{pages[0]} targets, {pages[1]:,} series, {pages[2] / 1e6:.0f} MB; "
             f"{', '.join(s.name for s in servers)}: {args.warm:g} min until windows are full, "
             f"then {args.minutes:g} min")
        for server in servers:
            server.start(lab, setup, targets_file)
        time.sleep(60 * args.warm)
        note("measuring")
        cores = measured(servers, mesh_process, args)
        note("comparing what fires")
        fired = agree(servers, setup, fired)
        for server in servers:
            time.sleep(max(0, server.ended + server.lags - time.time()))
            expected = pages[0] * int((server.ended - server.began) / args.interval)
            server.late, server.failed = server.missed_scrapes(expected), server.failed_scrapes()
            server.series_held = server.held()
        return Mesh(*pages, cores), fired


def milliseconds(seconds):
    return f"{seconds * 1e3:,.0f} ms" if seconds >= 0.1 else f"{seconds * 1e3:.2f} ms"


def figures(server, mesh):
    """The columns: (title, value, text, whether less is better, so that a ratio means something)."""
    times = list(server.durations.values()) or [float("nan")]
    median, longest = statistics.median(times), max(times)
    resident = statistics.median(server.resident)
    return [
        ("evaluation, median", median, milliseconds(median), True),
        ("evaluation, max", longest, milliseconds(longest), True),
        ("resident memory", resident, f"{resident / MIB:,.0f} MiB", True),
        ("bytes per series", resident / mesh.series, f"{resident / mesh.series:,.0f}", False),
        ("CPU in all, cores", server.cores, f"{server.cores:.3f}", True),
        ("series scraped", mesh.series, f"{mesh.series:,}", False),
        ("series held", server.series_held, f"{server.series_held:,.0f}", False),
        ("evaluations measured / missed", 0, f"{len(server.durations)} / {server.missed:.0f}", False),
        ("scrapes missed / failed", 0, f"{server.late:.0f} / {server.failed:.0f}", False),
    ]


def print_table(servers, meshes):
    rows = {s.name: figures(s, meshes[s.name]) for s in servers}
    ours = rows.get("Tocsin")
    titles = [title for title, *_ in next(iter(rows.values()))]
    print("| | " + " | ".join(titles) + " |")
    print("|---|" + "--:|" * len(titles))
    for name, row in rows.items():
        cells = []
        for i, (_, value, text, compared) in enumerate(row):
            ratio = compared and ours is not None and name != "Tocsin" and ours[i][1] > 0
            cells.append(f"{text} (×{value / ours[i][1]:,.1f})" if ratio else text)
        print(f"| {name} | " + " | ".join(cells) + " |")


def version_of(program):
    out = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", out.stdout + out.stderr)
    return found[0] if found else "?"


def print_result(servers, meshes, args, fired):
    machine = f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores"
    how = "one after another, each with a mesh of its own" if args.one_by_one else "all at once"
    mesh = next(iter(meshes.values()))
    programs = [f"{p} {version_of(p)}" for s in servers for p in s.programs]
    simulator = ", ".join(sorted({f"{m.cores:.2f}" for m in meshes.values()}))
    print(f"\n{machine}; {args.proxies:,} proxies, {mesh.series:,} series on {mesh.bytes / 1e6:.0f} MB of pages "
          f"({mesh.bytes / mesh.series:.0f} bytes a line), scraped and evaluated every {args.interval} s; "
          f"{how}; windows of {args.window} s, {args.warm:g} min before measuring, {args.minutes:g} min of it. "
          f"{' '.join(programs)}. The simulator took {simulator} cores beside.\n")
    print_table(servers, meshes)
    if fired is not None:
        print(f"\nThe same {len(fired)} alerts fire everywhere, each rule's at least once.")
    for server in servers:
        if server.blind:
            print(f"{server.name} keeps {server.blind} more, which are over by the rules: a target that "
                  "they may be about is down. They are not compared.")
    late = [s.name for s in servers if s.late or s.missed]
    if late:
        print(f"Scrapes or evaluations were missed by {', '.join(late)}: "
              "the machine does not carry this load" + ("." if args.one_by_one else "; try --one-by-one."))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proxies", nargs="?", type=int, default=1000)
    parser.add_argument("--tocsin", default=TOCSIN, help="the program")
    parser.add_argument("--only", default=",".join(SERVERS), help="comma-separated")
    parser.add_argument("--one-by-one", action="store_true")
    parser.add_argument("--interval", type=seconds_of, default=15, help="of scrapes and evaluations")
    parser.add_argument("--window", type=seconds_of, default=300, help="of rates, in place of 5m")
    parser.add_argument("--warm", type=float, default=6, help="minutes before measuring")
    parser.add_argument("--minutes", type=float, default=4, help="of measuring")
    args = parser.parse_args()
    if unknown := set(args.only.split(",")) - set(SERVERS):
        parser.error(f"there are {', '.join(SERVERS)}, not {', '.join(sorted(unknown))}")
    if args.proxies < FEWEST_PROXIES:
        parser.error(f"at least {FEWEST_PROXIES} proxies: each fault has a deployment of its own")
    if 60 * args.warm < args.window:
        parser.error("--warm is too short for windows to be full")
    if not os.path.exists(args.tocsin):
        parser.error(f"{args.tocsin} is not there; build it, or name another with --tocsin")
    return args


def at_hand(names):
    out = []
    for kind in (SERVERS[name] for name in SERVERS if name in names):
        if missing := kind.missing():
            print(f"left out: {kind.name}; {', '.join(missing)} is not installed, "
                  "deploy/install-deps.sh test installs it")
        else:
            out.append(kind())
    if not out:
        sys.exit(SKIPPED)
    return out


def main():
    args = arguments()
    servers = at_hand(args.only.split(","))
    meshes, fired, agreed = {}, None, True
    with receiver() as address:
        setup = Setup(args, address)
        for group in [[s] for s in servers] if args.one_by_one else [servers]:
            mesh, fired = run(group, setup, fired)
            meshes |= {server.name: mesh for server in group}
            agreed = agreed and fired is not None
    print_result(servers, meshes, args, fired)
    if not agreed:
        sys.exit("\nNot the same alerts fire everywhere: see above.")


if __name__ == "__main__":
    main()
