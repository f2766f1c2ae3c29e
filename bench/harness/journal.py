# SPDX-License-Identifier: MIT
# journal.py - results as JSON lines: each is on the disk as soon as it was measured.
import json
import os
import time


class JournalError(Exception):
    """The results cannot be continued; the text says why."""


def _put_aside(path):
    """Gives what an earlier run left the time of its last change as a name."""
    if os.path.exists(path):
        stem, ending = os.path.splitext(path)
        changed = time.strftime("%Y%m%dT%H%M%S", time.localtime(os.path.getmtime(path)))
        os.replace(path, f"{stem}-{changed}{ending}")


class Journal:
    """An append-only file. Its first line describes the run; samples are found by their key."""

    def __init__(self, path, header, resume):
        self.path = path
        self.records = []
        if resume:
            self._read(header)
        else:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            _put_aside(path)
            with open(path, "w", encoding="utf-8"):
                pass
            self.append({"type": "run", **header})

    def _read(self, header):
        try:
            with open(self.path, encoding="utf-8") as lines:
                text = lines.read()
        except OSError as error:
            raise JournalError(f"cannot resume: {error}") from None
        # An aborted run may leave half a line: it was never a result.
        complete = text[: text.rfind("\n") + 1]
        if complete != text:
            os.truncate(self.path, len(complete.encode()))
        self.records = [json.loads(line) for line in complete.splitlines()]
        if not self.records or self.records[0].get("type") != "run":
            raise JournalError(f"{self.path} does not begin with the description of a run")
        for name, value in header.items():
            if name != "begun" and self.records[0].get(name) != value:
                was = self.records[0].get(name)
                raise JournalError(f"{self.path} is of another run: {name} was {was}, is {value}")

    def append(self, record):
        self.records.append(record)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())

    @property
    def header(self):
        return self.records[0]

    def find(self, **wanted):
        """All records that have these values, oldest first."""
        return [
            record
            for record in self.records
            if all(record.get(name) == value for name, value in wanted.items())
        ]
