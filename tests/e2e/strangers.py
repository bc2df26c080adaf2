#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who has no business here: they guess passwords, all at once, and take every connection they can
get. Whoever is known is answered as if they were not there."""

import base64
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

from harness import Lab, free_port, wait_until

# Of the password "slow"; a tenth of a second's work.
ALICE = "$2y$10$abcdefghijklmnopqrstuuTL3rBAB2FTLNnpGNZhAYflp5RzALnWK"
GUESSERS = 12
PATIENCE = 2.0  # For one answer: far more than it takes, far less than the guesses would.


def status(server, pair, timeout=20.0):
    request = urllib.request.Request(f"http://{server}/-/healthy")
    request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def start(lab):
    port = free_port()
    users = lab.write("users", "bob:plain\n")
    config = (f"web: {{listen: '127.0.0.1:{port}', basic_auth_users: {{alice: {ALICE}}}, "
              f"basic_auth_users_file: '{users}'}}\n")
    lab.start("tocsin", lab.tocsin, "run", "--config", lab.write("tocsin.yaml", config))
    server = f"127.0.0.1:{port}"
    wait_until("bob is let in", lambda: status(server, "bob:plain") == 200)
    return server


def guessing_holds_up_nobody(server):
    assert status(server, "alice:slow") == 200
    answers, stop = [], threading.Event()

    def guess(number):
        while not stop.is_set():
            answers.append(status(server, f"alice:guess-{number}-{len(answers)}"))

    guessers = [threading.Thread(target=guess, args=(i,)) for i in range(GUESSERS)]
    for guesser in guessers:
        guesser.start()
    for _ in range(30):
        assert status(server, "alice:slow", PATIENCE) == 200
        assert status(server, "bob:plain", PATIENCE) == 200
        time.sleep(0.1)
    stop.set()
    for guesser in guessers:
        guesser.join()
    assert set(answers) == {401, 429}, set(answers)
    refused = answers.count(401)
    assert 0 < refused <= 80, f"{refused} guesses were checked in a few seconds"


def one_address_does_not_take_all_connections(server):
    host, port = server.split(":")
    held = []
    for _ in range(1100):
        held.append(socket.create_connection((host, int(port)), timeout=5))
        held[-1].sendall(b"GET / HTTP/1.1\r\n")  # And nothing more.
    with socket.create_connection((host, int(port)), timeout=5, source_address=("127.0.0.2", 0)) as other:
        other.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: h\r\nAuthorization: Basic Ym9iOnBsYWlu\r\n\r\n")
        answer = other.recv(100)
        assert answer.startswith(b"HTTP/1.1 200"), answer
    for connection in held:
        connection.close()
    wait_until("bob is let in again", lambda: status(server, "bob:plain") == 200)


def main(tocsin):
    with Lab(tocsin) as lab:
        server = start(lab)
        guessing_holds_up_nobody(server)
        one_address_does_not_take_all_connections(server)


if __name__ == "__main__":
    main(sys.argv[1])
