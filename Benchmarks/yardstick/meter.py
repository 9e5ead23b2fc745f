"""What a server costs: CPU seconds and memory of its whole process tree.

CPU comes from a control group of its own where one can be made (root; v1 cpuacct or v2), in nanoseconds and including
processes that have ended. Otherwise it is summed over the tree: each living process's CPU clock, and the 10 ms ticks of
children already reaped. Kernel threads are in neither.
"""

import os
import time
from pathlib import Path
from typing import Iterator, NamedTuple

GROUP_ROOTS = ((Path("/sys/fs/cgroup/cpuacct"), "cpuacct.usage"), (Path("/sys/fs/cgroup"), "cgroup.controllers"))
TICKS = os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """KiB over the tree. PSS shares each page among the processes that map it."""

    pss: int
    private: int


def stat_fields(pid: int) -> list[str]:
    """The fields after the command name, which may itself hold spaces and brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(root: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            children.setdefault(int(stat_fields(int(name))[1]), []).append(int(name))
        except OSError:
            continue  # ended meanwhile
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += children.get(pid, [])


def process_clock(pid: int) -> float:
    """All threads' CPU seconds, those of ended threads included (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


class ControlGroup:
    """Counts whatever is started inside it. `path` is None where no group can be made."""

    def __init__(self, name: str) -> None:
        self.path: Path | None = None
        for root, mark in GROUP_ROOTS:
            if not (root / mark).exists():
                continue
            try:
                (root / name).mkdir(exist_ok=True)
                self.path = root / name
                return
            except OSError:
                continue

    def enter(self) -> None:
        """Moves the calling process in: to be called between fork and exec."""
        if self.path:
            (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def cpu(self) -> float | None:
        if not self.path:
            return None
        usage = self.path / "cpuacct.usage"
        if usage.exists():
            return int(usage.read_text()) / 1e9
        for line in (self.path / "cpu.stat").read_text().splitlines():
            if line.startswith("usage_usec "):
                return int(line.split()[1]) / 1e6
        return None

    def remove(self) -> None:
        if self.path:
            try:
                self.path.rmdir()
            except OSError:
                pass  # a process is still ending in it; an empty group costs nothing


class Meter:
    """Reads what the tree below `root` has used so far."""

    def __init__(self, root: int, group: ControlGroup) -> None:
        self.root = root
        self.group = group

    @property
    def source(self) -> str:
        return "control group" if self.group.path else "process clocks"

    def cpu(self) -> float:
        counted = self.group.cpu()
        return counted if counted is not None else sum(self._cpu_of(pid) for pid in tree(self.root))

    @staticmethod
    def _cpu_of(pid: int) -> float:
        try:
            reaped = sum(int(field) for field in stat_fields(pid)[13:15])
            return process_clock(pid) + reaped / TICKS
        except OSError:
            return 0

    def memory(self) -> Memory:
        total = {"Pss:": 0, "Private_Clean:": 0, "Private_Dirty:": 0}
        for pid in tree(self.root):
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            for line in lines:
                fields = line.split()
                if fields[0] in total:
                    total[fields[0]] += int(fields[1])
        return Memory(total["Pss:"], total["Private_Clean:"] + total["Private_Dirty:"])
