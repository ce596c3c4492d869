"""What a task costs in counts that do not depend on the machine's mood: instructions, allocations and system calls
of the worker, transactions of PostgreSQL. Each is the slope between two runs, so that starting is not in it.

    ./dev counts            compares with bench/counts.json, and fails where one is more than a tenth above it (transactions: twice)
    ./dev counts --record   writes them there

Run under callgrind, whose counts are the same however long they take; batches form as they would on a machine
thirty times slower, so transactions are an upper bound."""
import json
import pathlib
import re
import subprocess
import sys

import world as w

RECORD = pathlib.Path(__file__).with_name("counts.json")
FEW, MANY = 1000, 4000
TOLERANCE = {"transactions": 2}  # times; else 1.1. Batches form by time


def allocations(path):
    """Calls of malloc and its like in a file of callgrind, where a name is written once and then goes by its number."""
    names, callee, count = {}, "", 0
    for line in pathlib.Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
        match = re.match(r"c?fn=\((\d+)\)(?: (.*))?", line)
        if match:
            names.setdefault(match[1], match[2])
            callee = names[match[1]] if line.startswith("cfn") else callee
        elif line.startswith("calls=") and callee in ("malloc", "calloc", "realloc"):
            count += int(line[6:].split()[0])
    return count


def totals(path):
    """Of the worker's main thread."""
    text = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", "--show=Ir,sysCount", path], capture_output=True,
                          text=True, check=True).stdout
    rows = re.findall(r"^ *([\d,]+) \([^)]*\) +([\d,]+) \([^)]*\) +(.*)", text, re.M)
    values = [(int(ir.replace(",", "")), int(calls.replace(",", "")), name) for ir, calls, name in rows]
    instructions, calls, _ = next(v for v in values if v[2] == "PROGRAM TOTALS")
    # What asks for the time is no system call outside of valgrind.
    clocks = sum(n for _, n, name in values if re.search(r":(clock_gettime|time_syscall|gettimeofday)", name))
    return {"instructions": instructions, "syscalls": calls - clocks, "allocations": allocations(path)}


def run(count):
    stub = w.Stub(0)
    world = w.World(stub, concurrency=128)
    world.submit(w.task_lines(count))
    out = world.dir / "callgrind"
    before = world.transactions()
    world.start_worker(wrap=["valgrind", "-q", "--tool=callgrind", "--separate-threads=yes", "--collect-systime=yes",
                             f"--callgrind-out-file={out}"])
    world.wait(count, poll=1)
    world.close()
    stub.stop()
    return {**totals(f"{out}-01"), "transactions": world.last_transactions - before}


def main():
    few, many = run(FEW), run(MANY)
    found = {k: round((many[k] - few[k]) / (MANY - FEW), 4) for k in many}
    if sys.argv[1:] == ["--record"]:
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    known, failed = json.loads(RECORD.read_text(encoding="utf-8")), False
    for name, value in found.items():
        over = value > known[name] * TOLERANCE.get(name, 1.1)
        failed = failed or over
        print(f"{name:14} {value:12,.4f} a task; recorded {known[name]:12,.4f}{'  TOO MANY' if over else ''}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
