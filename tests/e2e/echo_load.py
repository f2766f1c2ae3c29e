# SPDX-License-Identifier: MIT
# echo_load.py - a steady verified load in python, for tests that look at the server meanwhile.
import random
import selectors

import echo_support as support


class SteadyLoad:
    """Some connections, each with several messages of random sizes on their way at any time."""

    def __init__(self, server, connections, seed=3, depth=4, bytes_max=20_000):
        generator = random.Random(seed)
        self.messages = [generator.randbytes(generator.randrange(1, bytes_max)) for _ in range(64)]
        self.depth = depth
        self.peers = [server.connect() for _ in range(connections)]

    def run(self, messages_each):
        """Echoes that many messages on each connection and verifies them."""
        selector = selectors.DefaultSelector()
        for index, peer in enumerate(self.peers):
            state = {"sent": 0, "done": 0, "got": bytearray(), "next": index}
            selector.register(peer, selectors.EVENT_READ, state)
            for _ in range(min(self.depth, messages_each)):
                self._send(peer, state)
        busy = len(self.peers)
        while busy:
            ready = selector.select(support.WAIT_S)
            if not ready:
                raise AssertionError("the server is silent")
            for key, _ in ready:
                busy -= self._receive(key.fileobj, key.data, messages_each, selector)
        selector.close()

    def close(self):
        for peer in self.peers:
            peer.close()

    def _message(self, number):
        return self.messages[number % len(self.messages)]

    def _send(self, peer, state):
        peer.sendall(self._message(state["next"] + state["sent"]))
        state["sent"] += 1

    def _receive(self, peer, state, messages_each, selector):
        part = peer.recv(262_144)
        if not part:
            raise AssertionError("the server has ended the connection")
        state["got"] += part
        while state["done"] < state["sent"]:
            expected = self._message(state["next"] + state["done"])
            if len(state["got"]) < len(expected):
                return 0
            support.assert_same(expected, bytes(state["got"][:len(expected)]), "a message")
            del state["got"][:len(expected)]
            state["done"] += 1
            if state["sent"] < messages_each:
                self._send(peer, state)
        if state["done"] < messages_each:
            return 0
        selector.unregister(peer)
        return 1
