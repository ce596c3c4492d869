"""Measures quern on real parts; bench/README.md says how. Run it with ./dev bench."""
import argparse
import json
import os
import platform
import statistics
import sys
import time

import cases
import world


def run(names, repeats, quick):
    """Every case so often, in turn, so that a machine that grows slow does so for all."""
    rows = {}
    for n in range(repeats):
        for name in names:
            begin = time.time()
            for row in cases.ALL[name](quick):
                key = row.pop("case"), row.pop("what")
                for figure, value in row.items():
                    rows.setdefault(key, {}).setdefault(figure, []).append(value)
            print(f"{n + 1}/{repeats} {name}: {time.time() - begin:.0f} s", file=sys.stderr, flush=True)
    return rows


def short(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def show(rows):
    for (case, what), figures in sorted(rows.items(), key=lambda r: list(cases.ALL).index(r[0][0].replace(" ", "-"))):
        print(f"{case:14} {what}")
        for figure, values in figures.items():
            spread = f"  ({short(min(values))} to {short(max(values))})" if len(values) > 1 else ""
            print(f"{'':14}   {figure:14} {short(statistics.median(values)):>10}{spread}")


def first(rows, case, what, figure):
    for (c, name), figures in rows.items():
        if c == case and name.startswith(what) and figure in figures:
            return statistics.median(figures[figure])
    return None


# What a ratio is of: (name, above, below), each (case, beginning of what, figure).
RATIOS = [
    ("worker CPU at 0 ms, of libcurl alone", ("throughput", "128", "worker_us"), ("floors", "libcurl, 0", "cpu_us")),
    ("tasks/s at 0 ms, of libcurl alone", ("throughput", "128", "tasks_per_s"), ("floors", "libcurl, 0", "per_s")),
    ("worker CPU at 1 s, of libcurl alone", ("latency-bound", "2000", "worker_us"), ("floors", "libcurl, 1 s, 2000", "cpu_us")),
    ("rows/s of quern submit, of librdkafka alone", ("producer", "2 GB", "rows_per_s"),
     ("floors", "librdkafka, produce", "per_s")),
    ("tasks/s at 0 ms, of Go", ("throughput", "128", "tasks_per_s"), ("peers", "Go, franz-go + pgx, 0", "tasks_per_s")),
    ("worker CPU at 0 ms, of Go", ("throughput", "128", "worker_us"), ("peers", "Go, franz-go + pgx, 0", "cpu_us")),
    ("worker CPU at 1 s, of Go", ("latency-bound", "2000", "worker_us"), ("peers", "Go, franz-go + pgx, 1000", "cpu_us")),
    ("memory at 1 s, of Go", ("latency-bound", "2000", "rss_mb"), ("peers", "Go, franz-go + pgx, 1000", "rss_mb")),
    ("tasks/s at 0 ms, of aiohttp", ("throughput", "128", "tasks_per_s"), ("peers", "asyncio", "tasks_per_s")),
    ("tasks/s at 0 ms, of Celery", ("throughput", "128", "tasks_per_s"), ("peers", "Celery", "tasks_per_s")),
]


def show_ratios(rows):
    ratios = {}
    for name, above, below in RATIOS:
        a, b = first(rows, *above), first(rows, *below)
        if a and b:
            ratios[name] = a / b
            print(f"{'ratio':14} {name}: {a / b:.2f}")
    return ratios


def main():
    p = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                epilog="example: ./dev bench --quick throughput floors")
    p.add_argument("cases", nargs="*", help=f"of {', '.join(cases.ALL)}; all, if none is named")
    p.add_argument("--quick", action="store_true", help="small counts, once: minutes instead of an hour")
    p.add_argument("--repeats", type=int, help="default 3; with --quick 1")
    a = p.parse_args()
    for name in a.cases:
        if name not in cases.ALL:
            p.error(f"no case {name!r}; there are {', '.join(cases.ALL)}")
    rows = run(a.cases or list(cases.ALL), a.repeats or (1 if a.quick else 3), a.quick)
    show(rows)
    ratios = show_ratios(rows)
    out = world.RUN / "bench" / time.strftime("%Y%m%d-%H%M%S.json")
    out.write_text(json.dumps({"machine": {"cpus": os.cpu_count(), "kernel": platform.release()}, "quick": a.quick,
                               "rows": [{"case": c, "what": what, "figures": f} for (c, what), f in rows.items()],
                               "ratios": ratios}, indent=1), encoding="utf-8")
    print(out)


if __name__ == "__main__":
    main()
