# SPDX-License-Identifier: MIT
# load_verify_test.py - ioring-load against servers that do each thing an echo server must not do.
import unittest

from load_support import Behaviour, Server, run


def at_offset(peer, data, offset):
    """Where in `data`, which has just been received, the stream's byte `offset` is; or None."""
    index = offset - (peer.received - len(data))
    return index if 0 <= index < len(data) else None


class FlipByte(Behaviour):
    offset, bit = 1000, 0x40

    def received(self, peer, data):
        index = at_offset(peer, data, self.offset)
        if index is not None and peer.number == 2:
            data = bytearray(data)
            self.right, data[index] = data[index], data[index] ^ self.bit
            self.wrong = data[index]
        peer.send(data)


class DoubleChunk(Behaviour):
    def received(self, peer, data):
        peer.send(data)
        if peer.received > 5000 and not peer.state.get("done"):
            peer.state["done"] = True
            peer.send(data)


class DropByte(Behaviour):
    def received(self, peer, data):
        index = at_offset(peer, data, 3000)
        if index is not None:
            data = data[:index] + data[index + 1:]
        peer.send(data)


class SwapConnections(Behaviour):
    """Connections 0 and 1 are each sent what the other one has sent first, both at once."""

    def received(self, peer, data):
        if peer.number >= 2:
            peer.send(data)
            return
        peer.state.setdefault("first", data)
        pair = peer.server.peers[:2]
        if len(pair) < 2 or peer.state.get("done") or not all("first" in p.state for p in pair):
            return
        for to, other in (pair, pair[::-1]):
            to.state["done"] = True
            to.send(other.state["first"])


class SwapChunks(Behaviour):
    """Two chunks of one stream change places, once: 16 bytes and the 16 after them."""

    def received(self, peer, data):
        if len(data) >= 64 and not peer.state.get("done"):
            peer.state["done"] = True
            data = data[16:32] + data[:16] + data[32:]
        peer.send(data)


class ExtraByteAtEnd(Behaviour):
    def ended(self, peer):
        peer.send(b"!")
        peer.close()


class Greeting(Behaviour):
    def connected(self, peer):
        peer.send(b"220 welcome\r\n")


class CloseEarly(Behaviour):
    def received(self, peer, data):
        if peer.received > 20_000 and peer.number == 1:
            peer.send(data[:10])
            peer.close()
            return
        peer.send(data)


class CloseAtOnce(Behaviour):
    """What a server does that is full: accepts and closes."""

    def connected(self, peer):
        if peer.number >= 3:
            peer.close()


class Reset(Behaviour):
    def received(self, peer, data):
        if peer.received > 10_000 and peer.number == 0:
            peer.reset()
            return
        peer.send(data)


class Mute(Behaviour):
    """Swallows everything on one connection."""

    def received(self, peer, data):
        if peer.number != 1:
            peer.send(data)


class StopsHalfway(Behaviour):
    """Keeps the second half of each message."""

    def received(self, peer, data):
        if peer.number == 0 and peer.received > 6000:
            return
        peer.send(data)


class NeverCloses(Behaviour):
    def ended(self, peer):
        pass


class VerifyTest(unittest.TestCase):
    def load(self, behaviour, *options, **server):
        with Server(behaviour, **server) as running:
            return run("--port", running.port, "--json", *options)

    def expect(self, result, sentence, **counters):
        """Status 1, one sentence that contains `sentence`, and these counters and no others."""
        self.assertEqual(result.status, 1, result)
        self.assertRegex(result.err, r"^ioring-load: ", result)
        self.assertRegex(result.err, sentence, result)
        names = ("mismatches", "refused", "timed_out", "closed_early", "broken")
        found = {name: result.json[name] for name in names}
        self.assertEqual(found, {**dict.fromkeys(names, 0), **counters}, result)
        self.assertEqual(result.json["errors"], sum(found.values()) - found["mismatches"], result)

    def test_an_honest_server_passes(self):
        result = self.load(Behaviour(), "-c", 5, "-s", 100, "-d", 3, "-n", 2000)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err, "", result)
        self.assertEqual((result.json["messages"], result.json["mismatches"]), (2000, 0), result)

    def test_a_flipped_bit_is_named_with_its_place_and_both_values(self):
        for size, depth in ((64, 1), (100, 7), (30_000, 1), (200_000, 2)):
            with self.subTest(size=size, depth=depth):
                flip = FlipByte()
                result = self.load(flip, "-c", 4, "-s", size, "-d", depth, "-n", 400)
                self.expect(
                    result, rf"byte 1,000 of its stream \(message {1000 // size:,}\) came back as "
                    rf"0x{flip.wrong:02x} and not as 0x{flip.right:02x}\n", mismatches=1)
                # The other three go on to the end.
                self.assertGreater(result.json["messages"], 100, result)

    def test_a_doubled_chunk_is_a_mismatch(self):
        result = self.load(DoubleChunk(), "-c", 3, "-s", 500, "-d", 4, "-n", 300)
        self.expect(result, "came back as|that were not sent", mismatches=3)

    def test_a_doubled_chunk_at_depth_one_is_a_mismatch(self):
        result = self.load(DoubleChunk(), "-c", 3, "-s", 500, "-n", 300)
        self.expect(result, "came back as|that were not sent", mismatches=3)

    def test_a_lost_byte_is_a_mismatch_or_a_time_out(self):
        result = self.load(DropByte(), "-c", 2, "-s", 100, "-d", 50, "-n", 4000, "--timeout", "1")
        self.expect(result, "byte 3,0.. of its stream .* came back as", mismatches=2)

    def test_a_lost_byte_at_the_end_of_everything_sent_is_a_time_out(self):
        result = self.load(DropByte(), "-c", 1, "-s", 3001, "-n", 1, "--timeout", "300ms")
        self.expect(result, "nothing moved for 300 ms, 1 of the bytes sent|1 of the bytes sent had",
                    timed_out=1)

    def test_bytes_of_another_connection_are_a_mismatch(self):
        result = self.load(SwapConnections(), "-c", 4, "-s", 64, "-d", 2, "-n", 4000)
        self.expect(result, r"connection [0-3]: byte \d of its stream .* came back as",
                    mismatches=2)

    def test_chunks_that_change_places_are_a_mismatch(self):
        result = self.load(SwapChunks(), "-c", 3, "-s", 64, "-d", 16, "-n", 500)
        # The chunks' first bytes may happen to be the same.
        self.expect(result, r"byte \d of its stream", mismatches=3)

    def test_a_byte_after_the_end_is_a_mismatch(self):
        result = self.load(ExtraByteAtEnd(), "-c", 3, "-n", 100)
        self.expect(result, "1 bytes came that were not sent, after byte .*; the first is 0x21",
                    mismatches=3)

    def test_bytes_nobody_asked_for_are_a_mismatch(self):
        # Slowly connected: the first one's greeting comes before anything is sent.
        result = self.load(Greeting(), "-c", 2, "-n", 100, "--connect-rate", 5)
        self.expect(result, "connection 0: 13 bytes came that were not sent, after byte 0 of its "
                    "stream; the first is 0x32 and nothing was expected", mismatches=2)

    def test_a_server_that_closes_early_is_an_error(self):
        result = self.load(CloseEarly(), "-c", 3, "-s", 1000, "-n", 500)
        self.expect(result, r"the server ended the stream after byte [\d,]+, [\d,]+ bytes",
                    closed_early=1)
        self.assertGreater(result.json["messages"], 400, result)

    def test_a_server_that_accepts_and_closes_is_an_error(self):
        # Slowly connected, so that they are closed before there is a load that they could refuse.
        result = self.load(CloseAtOnce(), "-c", 10, "-t", "200ms", "--connect-rate", 50)
        broken = result.json["broken"]  # Closed on what was just being sent.
        self.expect(result, "the server ended the stream after byte 0", closed_early=7 - broken,
                    broken=broken)

    def test_a_reset_is_an_error(self):
        result = self.load(Reset(), "-c", 3, "-s", 1000, "-n", 300)
        self.expect(result, "connection [0-2]: (receive|send) failed: "
                    "(Connection reset by peer|Broken pipe)",
                    broken=1)

    def test_a_connection_without_answer_times_out(self):
        result = self.load(Mute(), "-c", 3, "-t", "2", "--timeout", "300ms")
        self.expect(result, "nothing moved for 300 ms, 64 of the bytes sent have not come back "
                    "after byte 0", timed_out=1)
        self.assertGreater(result.json["messages"], 0, result)

    def test_a_connection_that_falls_silent_times_out(self):
        result = self.load(StopsHalfway(), "-c", 2, "-s", 1000, "-t", "1", "--timeout", "300ms")
        self.expect(result, "nothing moved for 300 ms", timed_out=1)

    def test_a_server_that_never_reads_times_out_with_much_in_flight(self):
        result = self.load(Behaviour(), "-c", 3, "-s", "1m", "-d", 20, "-t", "1", "--timeout",
                           "500ms", reads=False)
        self.expect(result, "nothing moved for 500 ms", timed_out=3)
        self.assertEqual(result.json["messages"], 0, result)

    def test_a_server_that_does_not_end_its_stream_times_out(self):
        result = self.load(NeverCloses(), "-c", 2, "-n", 100, "--timeout", "300ms")
        self.expect(result, "did not end the stream within 300 ms of ours, although all",
                    timed_out=2)
        self.assertEqual(result.json["messages"], 100, result)

    def test_the_load_ends_when_every_connection_has_failed(self):
        class CloseAll(CloseAtOnce):
            def connected(self, peer):
                peer.close()

        result = self.load(CloseAll(), "-c", 5, "-t", "1000", "--connect-rate", 50)
        broken = result.json["broken"]
        self.expect(result, "the server ended the stream after byte 0", closed_early=5 - broken,
                    broken=broken)

    def test_a_refused_connection_says_so_in_one_sentence(self):
        with Server(Behaviour()) as server:
            port = server.port
        result = run("--port", port, "-c", 20, "--json")
        self.expect(result, rf"cannot connect to 127.0.0.1:{port}: Connection refused \(is the "
                    r"server running there\?\)\nioring-load: 19 more connections failed\n$",
                    refused=20)
        self.assertEqual(result.json["connected"], 0)

    def test_a_missing_local_socket_says_so(self):
        result = run("--unix", "@ioring-load-test-nobody", "-c", 1, "--json")
        self.expect(result, "cannot connect to unix:@ioring-load-test-nobody", refused=1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
