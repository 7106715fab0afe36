#!/usr/bin/env python3
"""Which trace pins which row of the specification.

Reads the tables of checks in docs/semantics/, and holds every row to the traces that it names: they exist, and each status
of the row is there as the result of that call. Then the same for the page states of docs/dirty-tracking.md, for the errors of
the two calls that Pagerite is for, and for the traces that the other pages name. With --write, docs/specification-coverage.md is
written from all that; without, it has to be what would be written. The README of docs/semantics/ says how rows are written.
"""

import pathlib
import re
import sys

STATUSES_OF = {"H": ["BAD_HANDLE", "WRONG_TYPE", "ACCESS_DENIED"], "H2": ["BAD_HANDLE", "WRONG_TYPE"]}

# What the documentation of the two calls lists, and running out of memory.
ERRORS = {
    "zx_pager_supply_pages": "BAD_HANDLE WRONG_TYPE ACCESS_DENIED INVALID_ARGS OUT_OF_RANGE BAD_STATE NOT_SUPPORTED NO_MEMORY",
    "zx_pager_op_range": "BAD_HANDLE WRONG_TYPE ACCESS_DENIED INVALID_ARGS OUT_OF_RANGE BAD_STATE NOT_SUPPORTED NOT_FOUND "
    "NO_MEMORY",
}

# Not in the corpus, for they are thousands of lines long: tests/test_spec_coverage.sh writes and runs them.
WRITTEN_BY_THE_TEST = {"port_full": {("zx_port_queue", "SHOULD_WAIT")}}

complaints = []


def complain(text):
    complaints.append(text)


def trace_path(name):
    for folder in ("corpus/traces", "corpus/conformance", "corpus"):
        path = pathlib.Path(folder, name + ".trace")
        if path.exists():
            return path
    return None


def trace_results(name, known={}):
    """All (call, words of its line, status) of a trace, in which a blocked call keeps the words that it began with."""
    if name not in known:
        results, begun = [], {}
        for line in trace_path(name).read_text().splitlines():
            match = re.match(r"(?:\[(\w+)\] )?(\w+)\((.*)", line)
            if match:
                begun[match[1]] = (match[2], line)
            match = match or re.match(r"(?:\[(\w+)\] )?(<\.\.\. (\w+) resumed|---)", line)
            status = re.search(r"(?:= |code=)ZX_ERR_(\w+)[^,()]*$", line)
            if match and status and match[1] in begun:
                call, words = begun[match[1]]
                results.append((call, words, status[1]))
        known[name] = results
    return known[name]


def trace_has(name, call, operation, status):
    if name in WRITTEN_BY_THE_TEST:
        return (call, status) in WRITTEN_BY_THE_TEST[name]
    return any(c == call and s == status and operation in words for c, words, s in trace_results(name))


class Row:
    def __init__(self, page, heading, cells):
        self.page, self.name = page, cells[0]
        self.calls = re.findall(r"\b(?:zx|mem)_\w+", heading)
        operation = re.search(r"ZX_(?:PAGER_OP|VMO_OP|VMO_CHILD)_\w+", heading)
        self.operation = operation[0] if operation else ""
        self.statuses = [s for cell in cells[2].split(", ") for s in STATUSES_OF.get(cell, [cell])]
        call = re.match(r"\((mem_\w+)\) ", cells[3])
        self.traces = [t.strip("()") for t in re.sub(r"^\(mem_\w+\) ", "", cells[3]).split(", ")]
        self.calls = [call[1]] if call else self.calls

    def check(self):
        missing = [t for t in self.traces if t not in WRITTEN_BY_THE_TEST and not trace_path(t)]
        for trace in missing:
            complain(f"{self.page}: row {self.name} names {trace or 'no trace'}, which does not exist")
        if missing or not self.calls:
            return complain(f"{self.page}: row {self.name} cannot be looked for")
        for call in self.calls:
            for status in self.statuses:
                if not any(trace_has(t, call, self.operation, status) for t in self.traces):
                    complain(f"{self.page}: row {self.name}: no {call} {self.operation} = {status} in {self.traces}")
        for trace in self.traces:
            if not any(trace_has(trace, c, self.operation, s) for c in self.calls for s in self.statuses):
                complain(f"{self.page}: row {self.name}: nothing of it is in {trace}")
        return None


def rows_read():
    rows = []
    for path in sorted(pathlib.Path("docs/semantics").glob("*.md")):
        heading = ""
        for line in path.read_text().splitlines():
            if line.startswith("## "):
                heading = line[3:]
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if re.match(r"\| [a-z_]+ \d+ \|", line):
                if len(cells) != 4:
                    complain(f"{path}: not a row of four cells: {line}")
                    continue
                rows.append(Row(path.name, heading, cells))
    return rows


def check_names(rows):
    """Rows are numbered from 1 on; every call of the core has rows, or cannot fail."""
    last = {}
    for row in rows:
        word, number = row.name.split()
        if int(number) != last.get(word, 0) + 1:
            complain(f"{row.page}: row {row.name} follows row {last.get(word, 0)}")
        last[word] = int(number)
    for call in sorted(set(re.findall(r'"(zx_\w+)"', pathlib.Path("core/call_rows.h").read_text()))):
        if not any(call in row.calls for row in rows):
            complain(f"{call} has no row in docs/semantics/")


def errors_of_the_two(rows):
    lines = []
    for call, statuses in ERRORS.items():
        for status in statuses.split():
            pinning = [row for row in rows if call in row.calls and status in row.statuses]
            if not pinning:
                complain(f"no row says that {call} may return {status}")
            lines.append(f"| `{call}` | {status} | {', '.join(row.name for row in pinning)} |")
    return lines


def edges():
    """Each cell of the table of page states, and the traces of the cells that reach it."""
    states = {"absent": "A", "clean": "C", "marker": "M", "dirty": "D", "awaiting": "W", "interval": "Z"}
    cells = [line.split() for line in pathlib.Path("docs/page-state-cells.txt").read_text().splitlines()]
    cells = [cell for cell in cells if len(cell) == 5 and cell[0] != "#"]
    lines = []
    for line in pathlib.Path("docs/dirty-tracking.md").read_text().splitlines():
        if not re.match(r"\| [A-Z_]+ \|", line):
            continue
        event, *after = [cell.strip() for cell in line.strip("|").split(" | ")]
        for before, then in zip(states, after):
            if then in ("-", "anonymous"):
                continue
            operation = event.lower()
            traces = {trace for op, state, _, result, trace in cells
                      if op == operation and state == states[before] and result == states[then]}
            if not traces:
                complain(f"no cell of docs/page-state-cells.txt goes from {before} to {then} by {operation}")
            lines.append(f"| {event} | {before} | {then} | {', '.join(sorted(traces))} |")
    return lines


def check_pages():
    """What the pages call a trace exists. Other words in quotes are names of the core, of options, or of scripts."""
    known = pathlib.Path("core/pgr.h").read_text() + pathlib.Path("core/zx.h").read_text() + "supply_failure fail_codes read_batch page_size fail_alloc"
    pages = sorted(pathlib.Path("docs/semantics").glob("*.md")) + [pathlib.Path("docs/deviations.md")]
    for page in pages:
        for word in re.findall(r"`((?:[a-z]+/)*[a-z0-9]+(?:_[a-z0-9]+)+(?:\.(?:no)?trap)?)`", page.read_text()):
            word = re.sub(r"^conformance/", "", word)
            if word not in known and not trace_path(word) and word not in WRITTEN_BY_THE_TEST:
                complain(f"{page} names {word}, which is no trace")


def document(rows):
    lines = [
        "# Which traces pin which row of the specification",
        "",
        "Made from the tables in [semantics/](semantics/README.md), [dirty-tracking.md](dirty-tracking.md) and",
        "[page-state-cells.txt](page-state-cells.txt) by `tests/test_spec_coverage.py --write`; `tests/test_spec_coverage.sh` checks",
        "that every status of every row is in one of its traces as the result of that call.",
        "",
        f"{len(rows)} rows, {sum(len(row.statuses) * len(row.calls) for row in rows)} statuses, "
        f"{len({trace for row in rows for trace in row.traces})} traces.",
        "",
        "## Errors of the two calls",
        "",
        "| call | error | rows |",
        "| --- | --- | --- |",
        *errors_of_the_two(rows),
        "",
        "## Edges of the page states",
        "",
        "| event | from | to | traces |",
        "| --- | --- | --- | --- |",
        *edges(),
    ]
    page = None
    for row in rows:
        if row.page != page:
            page = row.page
            lines += ["", f"## [{page}](semantics/{page})", "", "| row | call | status | traces |", "| --- | --- | --- | --- |"]
        call = ", ".join(f"`{c}`" for c in row.calls) + (f" {row.operation}" if row.operation else "")
        lines.append(f"| {row.name} | {call} | {', '.join(row.statuses)} | {', '.join(row.traces)} |")
    return "\n".join(lines) + "\n"


def main():
    rows = rows_read()
    for row in rows:
        row.check()
    check_names(rows)
    check_pages()
    text, path = document(rows), pathlib.Path("docs/specification-coverage.md")
    if "--write" in sys.argv[1:]:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        complain(f"{path} is not up to date: tests/test_spec_coverage.py --write")
    for complaint in complaints:
        print(complaint)
    print(f"{len(rows)} passed, {len(complaints)} failed")
    return 1 if complaints or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
