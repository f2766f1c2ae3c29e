# SPDX-License-Identifier: MIT
# doctor_test.py - ioring-doctor tells what is true of the machine, and its status tells scripts.
import errno
import json
import os
import re
import resource
import shutil
import stat
import subprocess
import tempfile
import unittest
from unittest import mock

import echo_support as support
from seccomp_filter import refuse_io_uring

DOCTOR = os.path.join(support.BIN_DIR, "ioring-doctor")
RING, NO_RING, USAGE, DOES_NOT_FIT = 0, 1, 2, 3

NUMBER = (int, type(None))  # null: no limit, or not known.
TEXT = (str, type(None))
FLAG = (bool, type(None))
LIMIT = {"limit": str, "allowed": NUMBER, "needed": NUMBER, "connections": NUMBER}
BACKEND = {"name": str, "automatic": bool, "works": bool, "error": TEXT, "reason": str,
           "description": TEXT, "opcodes": [str], "features": [str]}
PAIR = {"soft": NUMBER, "hard": NUMBER}
SCHEMA = {
    "version": str,
    "system": {"name": str, "release": str, "architecture": str, "io_uring_disabled": NUMBER,
               "io_uring_group": NUMBER, "seccomp_mode": NUMBER, "seccomp_filters": NUMBER,
               "no_new_privileges": FLAG, "container": TEXT},
    "chosen": {"backend": TEXT, "reason": str, "description": TEXT},
    "backends": [BACKEND],
    "limits": {"descriptors": PAIR | {"used": NUMBER},
               "locked_memory_bytes": PAIR | {"exempt": FLAG},
               "address_space_bytes": PAIR,
               "mappings": {"max": NUMBER, "used": NUMBER},
               "memory_available_bytes": NUMBER, "backlog": NUMBER},
    "connections": {"strategy": str, "buffer_bytes": int, "asked": NUMBER, "fits": bool,
                    "most": NUMBER, "binding": str, "missing_feature": TEXT, "limits": [LIMIT]},
    "status": int,
}


def set_descriptors(soft, hard=None):
    hard = soft if hard is None else hard
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def run(*options, command=(DOCTOR,), variable=None, **popen):
    """Status, standard output and standard error; `variable` is IORING_BACKEND's value."""
    environment = {k: v for k, v in os.environ.items() if k != "IORING_BACKEND"}
    if variable is not None:
        environment["IORING_BACKEND"] = variable
    done = subprocess.run([*command, *options], capture_output=True, timeout=support.WAIT_S,
                          check=False, env=environment, **popen)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def read_sysctl(name):
    with open(f"/proc/sys/{name}", encoding="ascii") as file:
        return int(file.read())


class Doctor(unittest.TestCase):
    def report(self, *options, **popen):
        """The JSON object, whose status is the program's."""
        status, out, err = run("--json", *options, **popen)
        self.assertEqual("", err)
        self.assertEqual(1, out.count("\n"), out)
        report = json.loads(out)
        self.assertEqual(status, report["status"])
        return report

    def assert_schema(self, schema, value, where="$"):
        if isinstance(schema, dict):
            self.assertEqual(list(schema), list(value), where)
            for name, part in schema.items():
                self.assert_schema(part, value[name], f"{where}.{name}")
        elif isinstance(schema, list):
            self.assertIsInstance(value, list, where)
            for index, part in enumerate(value):
                self.assert_schema(schema[0], part, f"{where}[{index}]")
        else:
            self.assertIsInstance(value, schema, where)

    def automatic(self, report):
        return [each["name"] for each in report["backends"] if each["automatic"]]

    def backend(self, report, name):
        return next(each for each in report["backends"] if each["name"] == name)

    def test_the_json_object_has_the_promised_names(self):
        for options in ((), ("--connections", "10"), ("--strategy", "shared-pool"),
                        ("--backend", "null")):
            report = self.report(*options)
            self.assert_schema(SCHEMA, report)
            self.assertEqual(RING, report["status"], report)
        self.assert_schema(SCHEMA, self.report(variable="forbid:" + ",".join(
            self.automatic(report))))

    def test_it_says_what_the_kernel_says(self):
        report = self.report()
        self.assertEqual(os.uname().release, report["system"]["release"])
        self.assertEqual(read_sysctl("vm/max_map_count"), report["limits"]["mappings"]["max"])
        self.assertEqual(read_sysctl("net/core/somaxconn"), report["limits"]["backlog"])
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        descriptors = report["limits"]["descriptors"]
        self.assertEqual((soft, hard), (descriptors["soft"], descriptors["hard"]))
        self.assertGreater(report["limits"]["memory_available_bytes"], 1 << 20)
        uring = self.backend(report, "uring")
        if uring["works"]:
            self.assertEqual("uring", report["chosen"]["backend"])
            self.assertIn("recv", uring["opcodes"])
            self.assertIn("cancel_any", uring["features"])

    def test_the_text_has_a_line_for_each_question(self):
        status, out, err = run()
        self.assertEqual((RING, ""), (status, err))
        for pattern in (r"^system +Linux \S+ \S+$", r"^io_uring +\S", r"^seccomp +\S",
                        r"^container +\S", r"^chosen +\w+, because .+$",
                        r"^  uring +(works|refused): .+$", r"^  null +works: .+by its name only",
                        r"^operation +.*null$", r"^recv +.*yes$", r"^buffer_rings +",
                        r"^  descriptors +\d", r"^  mappings +\d", r"^  memory +\d.*available$",
                        r"^  lockable +", r"^  backlog +\d",
                        r"^connections, own-ring with buffers of 64 KiB$",
                        r"^[\d,]+ fit, and \w+ bind first$", r"^for [\d,]+: \S"):
            self.assertRegex(out, re.compile(pattern, re.MULTILINE))
        for line in out.splitlines():
            self.assertEqual(line.rstrip(), line)

    def test_descriptors_bind_where_they_are_few(self):
        few = {"preexec_fn": set_descriptors(200)}
        report = self.report(**few)
        self.assertEqual((RING, 168, "descriptors"),
                         (report["status"], report["connections"]["most"],
                          report["connections"]["binding"]))
        self.assertEqual(RING, self.report("--connections", "168", **few)["status"])
        report = self.report("--connections", "169", **few)
        self.assertEqual(DOES_NOT_FIT, report["status"])
        self.assertFalse(report["connections"]["fits"])
        status, out, _ = run("--connections", "169", **few)
        self.assertEqual(DOES_NOT_FIT, status)
        self.assertIn("169 DO NOT FIT; 168 would, and descriptors bind first", out)
        self.assertIn("ulimit -n 201", out)

    def test_a_soft_limit_counts_as_what_it_may_be_raised_to(self):
        report = self.report("--connections", "500", preexec_fn=set_descriptors(100, 600))
        self.assertEqual((RING, 568), (report["status"], report["connections"]["most"]))
        _, out, _ = run(preexec_fn=set_descriptors(100, 600))
        self.assertIn("600, of which 100 until the program raises its soft limit", out)

    def test_mappings_bind_for_mirrored_buffers_and_not_for_shared_ones(self):
        most = read_sysctl("vm/max_map_count")
        own = self.report("--buffer-size", "4k")["connections"]
        by_mappings = next(each for each in own["limits"] if each["limit"] == "mappings")
        self.assertEqual(most, by_mappings["allowed"])
        self.assertLess(by_mappings["connections"], most)
        self.assertGreater(by_mappings["connections"], 0.9 * (most - 256))
        shared = self.report("--buffer-size", "4k", "--strategy", "shared-pool")["connections"]
        self.assertNotIn("mappings", [each["limit"] for each in shared["limits"]])

    def test_large_buffers_are_bound_by_memory(self):
        report = self.report("--buffer-size", "1g", "--connections", "16m")
        self.assertEqual(DOES_NOT_FIT, report["status"])
        self.assertEqual("memory", report["connections"]["binding"])

    def test_what_it_says_is_needed_is_what_the_server_takes(self):
        count = 600
        limits = self.report("--connections", str(count))["connections"]["limits"]
        needed = {each["limit"]: each["needed"] for each in limits}
        server = support.Server(self, "--connections", str(count), "--backend", "automatic",
                                preexec_fn=set_descriptors(needed["descriptors"]))
        before = self.mappings(server)
        peers = [server.connect() for _ in range(count)]
        for peer in peers:
            peer.sendall(b"!")
        for peer in peers:
            self.assertEqual(b"!", support.read_exactly(peer, 1))
        taken = self.mappings(server)
        if not support.SANITIZED:  # Whose own mappings are many.
            self.assertLessEqual(taken, needed["mappings"])
        self.assertGreaterEqual(taken - before, count - 256)
        self.assertLessEqual(server.descriptors(), needed["descriptors"])
        for peer in peers:
            peer.close()
        server.stop()

    def mappings(self, server):
        with open(f"/proc/{server.process.pid}/maps", "rb") as file:
            return file.read().count(b"\n")

    def test_a_refused_io_uring_is_told_with_its_reason(self):
        for error, name in ((errno.EPERM, "(EPERM)"), (errno.ENOSYS, "(ENOSYS)"),
                            (errno.EACCES, "(EACCES)")):
            refused = {"preexec_fn": refuse_io_uring(error)}
            report = self.report(**refused)
            uring = self.backend(report, "uring")
            self.assertFalse(uring["works"])
            self.assertIn(name, uring["reason"])
            self.assertEqual([], uring["opcodes"])
            self.assertEqual(2, report["system"]["seccomp_mode"])
            self.assertTrue(report["system"]["no_new_privileges"])
            others = [each["name"] for each in report["backends"]
                      if each["automatic"] and each["works"]]
            self.assertEqual(others[0] if others else None, report["chosen"]["backend"])
            self.assertEqual(RING if others else NO_RING, report["status"])
            self.assertIn("uring: ", report["chosen"]["reason"])
            self.assertIn(name, report["chosen"]["reason"])
            status, out, _ = run("--backend", "uring", **refused)
            self.assertEqual(NO_RING, status)
            self.assertRegex(out, re.compile(r"^chosen +none: ", re.MULTILINE))
            self.assertRegex(out, re.compile(r"^seccomp +\d+ filter", re.MULTILINE))

    def test_the_environment_chooses(self):
        self.assertEqual("null", self.report(variable="null")["chosen"]["backend"])
        self.assertEqual("asked for by IORING_BACKEND",
                         self.report(variable="null")["chosen"]["reason"])
        self.assertEqual("null", self.report(variable="prefer:null")["chosen"]["backend"])
        everything = "forbid:" + ",".join(self.automatic(self.report()))
        report = self.report(variable=everything)
        self.assertEqual((NO_RING, None), (report["status"], report["chosen"]["backend"]))
        self.assertIn("forbidden by IORING_BACKEND", report["chosen"]["reason"])
        report = self.report(variable="nul")
        self.assertEqual(NO_RING, report["status"])
        self.assertIn("IORING_BACKEND is \"nul\"", report["chosen"]["reason"])
        # A demand by name does not look at it.
        report = self.report("--backend", "null", variable="nul")
        self.assertEqual("null", report["chosen"]["backend"])

    def test_a_program_with_more_rights_than_its_caller_ignores_the_environment(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make a set-user-ID program of another user")
        if support.SANITIZED:
            return  # Such a program runs with address randomisation, which sanitizers do not bear.
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            copy = shutil.copy(DOCTOR, folder)
            os.chown(copy, 65531, 65531)
            os.chmod(copy, stat.S_ISUID | 0o755)
            caller = {"user": 65532, "group": 65532, "extra_groups": [], "command": (copy,)}
            if os.statvfs(folder).f_flag & os.ST_NOSUID:
                self.skipTest("a file system without set-user-ID")
            # Nobody may trace such a program, not even its own leak detector.
            no_leaks = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
            with mock.patch.dict(os.environ, ASAN_OPTIONS=no_leaks):
                self.assertNotIn("IORING_BACKEND",
                                 self.report(variable="nul", **caller)["chosen"]["reason"])
            os.chmod(copy, 0o755)
            self.assertIn("IORING_BACKEND",
                          self.report(variable="nul", **caller)["chosen"]["reason"])

    def test_bad_options_are_status_2_and_one_sentence(self):
        for options, word in ((["--connections", "0"], "--connections"),
                              (["--connections", "many"], "many"),
                              (["--connections", "100m"], "16,777,216"),
                              (["--buffer-size", "12q"], "12q"),
                              (["--buffer-size", "5000"], "multiple of"),
                              (["--strategy", "own"], "shared-pool"),
                              (["--backend", "epol"], "epol"),
                              (["--no-such-option"], "--no-such-option"), (["surplus"], "surplus")):
            status, out, err = run(*options)
            self.assertEqual((USAGE, ""), (status, out), options)
            self.assertRegex(err, r"^ioring-doctor: .+\n$")
            self.assertEqual(1, err.count("\n"))
            self.assertIn(word, err)

    def test_help_and_version_are_no_errors(self):
        status, out, err = run("--help")
        self.assertEqual((0, ""), (status, err))
        for option in ("--connections", "--buffer-size", "--strategy", "--backend", "--json"):
            self.assertIn(option, out)
        self.assertRegex(run("--version")[1], r"^ioring-doctor \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    support.main()
