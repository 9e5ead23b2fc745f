"""Medians of the runs, as a table for people and as lines for programs."""

import json
import os
import statistics
from pathlib import Path

from .measures import Row


class Results:
    def __init__(self) -> None:
        # measure → server → rows, one per run; both in the order they first came.
        self.rows: dict[str, dict[str, list[Row]]] = {}
        self.servers: list[str] = []

    def add(self, server: str, row: Row) -> None:
        if server not in self.servers:
            self.servers.append(server)
        self.rows.setdefault(row.measure, {}).setdefault(server, []).append(row)
        print(f"  {server:12} {row.measure:38} {row.value:10.3f} {row.unit:6} wall {row.wall:8.3f} s", flush=True)

    def median(self, measure: str, server: str) -> float | None:
        rows = self.rows[measure].get(server)
        return statistics.median(row.value for row in rows) if rows else None

    def table(self) -> str:
        """Markdown: a column per server, and the first server's figure over each other's."""
        first, others = self.servers[0], self.servers[1:]
        heads = ["measure", "unit", *self.servers, *(f"{other} / {first}" for other in others)]
        lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        for measure in self.rows:
            unit = next(iter(self.rows[measure].values()))[0].unit
            values = {server: self.median(measure, server) for server in self.servers}
            cells = [measure, unit, *(number(values[server]) for server in self.servers)]
            cells += [ratio(values[other], values[first]) for other in others]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def write(self, path: Path, facts: dict[str, str]) -> None:
        """One JSON object a line: first the facts of the run, then each row."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")
            for measure, servers in self.rows.items():
                for server, rows in servers.items():
                    for row in rows:
                        line = {"server": server, "measure": measure, "value": row.value, "unit": row.unit}
                        file.write(json.dumps(line | {"wall": row.wall}) + "\n")


def number(value: float | None) -> str:
    """Three significant digits."""
    if value is None:
        return "—"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def ratio(other: float | None, ours: float | None) -> str:
    return "—" if not other or not ours else f"{other / ours:.1f}"


def machine() -> str:
    """Processor, memory, system: what a figure means nothing without."""
    processor = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    system = "Linux"
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            system = line.partition("=")[2].strip('"')
    return f"{os.cpu_count()} × {processor}, {gibibytes:.0f} GiB, {system}, Linux {os.uname().release}"
