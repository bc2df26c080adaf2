# SPDX-License-Identifier: Apache-2.0
"""Real processes for end-to-end tests: on loopback, on free ports, in a folder of their own, stopped
by the process id that started them, and never waited for without a limit."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

SKIPPED = 77  # What CTest takes for "skipped".


def free_port():
    """One that no client is given meanwhile: below those that the system hands out."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            print(f"skipped: {program} is not installed")
            sys.exit(SKIPPED)


def get(url, timeout=5):
    with urllib.request.urlopen(url, timeout=timeout) as response:
        return response.read().decode()


def get_json(url, timeout=5):
    return json.loads(get(url, timeout))


def wait_until(what, condition, limit=60.0, pause=0.05):
    """Returns the first true value of condition(); fails loudly after `limit` seconds."""
    deadline = time.monotonic() + limit
    last = None
    while time.monotonic() < deadline:
        try:
            last = condition()
            if last:
                return last
        except (urllib.error.URLError, ConnectionError, json.JSONDecodeError, OSError) as error:
            last = error
        time.sleep(pause)
    raise AssertionError(f"not within {limit:.0f} s: {what} (last: {last})")


class Lab:
    """The folder and the processes of one test."""

    def __init__(self, tocsin):
        self.tocsin = os.path.abspath(tocsin)
        self.folder = tempfile.mkdtemp(prefix="tocsin-e2e-")
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        for name, process, _ in reversed(self.processes):
            self.stop(process)
        if kind is not None:
            for name, _, log in self.processes:
                print(f"---- {name}")
                with open(log, errors="replace") as text:
                    print("".join(text.readlines()[-25:]))
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as out:
            out.write(text)
        return self.path(name)

    def start(self, name, *command):
        log = self.path(name + ".log")
        with open(log, "w") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=self.folder)
        self.processes.append((name, process, log))
        return process

    def log(self, name):
        with open(self.path(name + ".log"), errors="replace") as text:
            return text.read()

    @staticmethod
    def stop(process, how=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(10)
            process.kill()
            process.wait()
        return process.returncode

    def start_alertmanager(self, name="alertmanager", route="route: {receiver: none}\nreceivers: [{name: none}]\n"):
        port = free_port()
        config = self.write(f"{name}-am.yml", route)
        self.start(f"{name}-am", "prometheus-alertmanager", f"--config.file={config}",
                   f"--storage.path={self.path(name + '-am')}", f"--web.listen-address=127.0.0.1:{port}",
                   "--cluster.listen-address=")
        wait_until("Alertmanager is ready", lambda: get(f"http://127.0.0.1:{port}/-/ready"))
        return f"127.0.0.1:{port}"

    def start_prometheus(self, config, *flags, port=None):
        port = port or free_port()
        self.start("prometheus", "prometheus", f"--config.file={self.write('prometheus.yml', config)}",
                   f"--storage.tsdb.path={self.path('tsdb')}",
                   f"--web.listen-address=127.0.0.1:{port}", *flags)
        wait_until("Prometheus is ready", lambda: get(f"http://127.0.0.1:{port}/-/ready"))
        return f"127.0.0.1:{port}"

    def start_mesh(self, mesh):
        """Returns the address; targets.json in the folder lists the targets."""
        port = free_port()
        self.start("mesh", self.tocsin, "simulate", "--listen", f"127.0.0.1:{port}", "--mesh", mesh,
                   "--sd", self.path("targets.json"))
        wait_until("the mesh lists its targets", lambda: os.path.exists(self.path("targets.json")))
        return f"127.0.0.1:{port}"

    def start_tocsin(self, name, config, port=None):
        port = port or free_port()
        text = config + f"\nweb: {{listen: '127.0.0.1:{port}'}}\n"
        self.start(name, self.tocsin, "run", "--config", self.write(name + ".yaml", text))
        wait_until(f"{name} is ready", lambda: get(f"http://127.0.0.1:{port}/-/ready"))
        return f"127.0.0.1:{port}"


class ClockLab(Lab):
    """A lab whose processes, in whatever language they are written, live by a wall clock of their own. They see it
    jump at the same moment. Ends the test as skipped where the program moved_clock cannot do that."""

    def __init__(self, tocsin, moved_clock):
        super().__init__(tocsin)
        self.moved_clock, self.offset = os.path.abspath(moved_clock), 0
        self.set_clock(0)
        tried = subprocess.run((self.moved_clock, self.path("offset"), "true"), capture_output=True, text=True)
        if tried.returncode:
            shutil.rmtree(self.folder)
            print(tried.stdout.strip() or tried.stderr.strip())
            sys.exit(tried.returncode)

    def start(self, name, *command):
        return super().start(name, self.moved_clock, self.path("offset"), *command)

    def set_clock(self, offset):
        """To so many seconds ahead of the machine's."""
        file = os.open(self.path("offset"), os.O_WRONLY | os.O_CREAT)
        os.pwrite(file, struct.pack("=q", offset), 0)
        os.close(file)
        self.offset = offset

    def is_seen_by(self, server):
        """Whether a query there is answered by the clock that has been set."""
        answer = get_json(f"http://{server}/api/v1/query?query=time()")
        return abs(float(answer["data"]["result"][1]) - self.offset - time.time()) < 60


def active_alerts(alertmanager):
    return get_json(f"http://{alertmanager}/api/v2/alerts?active=true")
