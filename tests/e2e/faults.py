#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shipped rules over simulated meshes: each fault fires the right alert and only it, and what
must wake nobody wakes nobody. `demo` is the mesh of the demo, `rest` the faults that it leaves out."""

import os
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
SPEED = 20

DEMO = {
    ("ProxyCrashLoop", "shop"),
    ("SuccessRateLow", "booksapp"),
    ("RouteLatencyHigh", "booksapp"),
    ("ControlPlaneDown", ""),
    ("LeafCertificateNotRenewed", "emojivoto"),
    ("TcpConnectionErrors", "shop"),
    ("TrafficSpike", "emojivoto"),
}
REST = {
    ("ServiceSuccessRateLow", "shop"),
    ("RequestsHanging", "shop"),
    ("TrafficDrop", "shop"),
}


def fired(output):
    lines = re.findall(r"^\+(?:\d+\w ?)+\s+FIRING\s+(\w+)\s+(.*)$", output, re.M)
    namespaces = ("shop", "booksapp", "emojivoto")
    return {(name, next((n for n in namespaces if f"in {n}" in text), "")) for name, text in lines}


def demo(tocsin):
    done = subprocess.run([tocsin, "demo", "--once", "--speed", str(SPEED), "--listen", "127.0.0.1:0",
                           "--rules", os.path.join(ROOT, "rules", "linkerd")],
                          capture_output=True, text=True, timeout=280)
    print(done.stdout)
    assert done.returncode == 0, done
    assert fired(done.stdout) == DEMO, fired(done.stdout) ^ DEMO


def rest(tocsin):
    process = subprocess.Popen([tocsin, "demo", "--mesh", os.path.join(HERE, "faults.yaml"), "--speed", str(SPEED),
                                "--listen", "127.0.0.1:0", "--rules", os.path.join(ROOT, "rules", "linkerd")],
                               stdout=subprocess.PIPE, text=True)
    time.sleep(62 * 60 / SPEED)
    process.send_signal(signal.SIGTERM)
    output = process.communicate(timeout=20)[0]
    print(output)
    assert process.returncode == 0, process.returncode
    assert fired(output) == REST, fired(output) ^ REST


if __name__ == "__main__":
    {"demo": demo, "rest": rest}[sys.argv[2]](os.path.abspath(sys.argv[1]))
