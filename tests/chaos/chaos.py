"""./dev chaos: workers under load while everything around them fails, and then an audit.

The faults, their order and times come from the seed. What must hold is in audit.py. Exit code 0: no
promise was broken."""
import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time

import confluent_kafka

import audit
import faults
from cluster import BIN, MODEL, ROOT, Cluster

PLANTS = ("plant-done-before-write", "plant-highest-offset", "plant-no-lookup",
          "plant-books-missing", "plant-park-lost", "plant-letter-lost")
POISON = ("400", "500", "malformed", "500:1", "503:1", "429:2", "truncated:1")


class Job:
    """One submission: plain, poison (some tasks fail), cancel, late (a deadline)."""

    def __init__(self, number, kind, size, lane, rng, path):
        self.name, self.kind, self.lane = f"{kind}-{number}", kind, lane
        self.tenant = f"tenant-{number % 3}"
        self.ids = {f"t-{i}" for i in range(size)}
        self.end = "cancelled" if kind == "cancel" else "completed"
        self.all_succeed = kind == "plain"
        self.path = path / f"{self.name}.jsonl"
        self.submitted = False
        with open(self.path, "w", encoding="utf-8") as f:
            for i in range(size):
                mark = f" [[stub:{rng.choice(POISON)}]]" if kind == "poison" and i % 10 == 0 else ""
                prompt = f"{self.name}/t-{i} Summarize: a text of some length, number {i}.{mark}"
                f.write(json.dumps({"custom_id": f"t-{i}", "method": "POST",
                                    "url": "/v1/chat/completions",
                                    "body": {"model": MODEL, "messages": [
                                        {"role": "user", "content": prompt}]}}) + "\n")


class Notes:
    """What happened, for the report and for what the audit may excuse."""

    def __init__(self, cluster):
        self.cluster, self.events, self.violations = cluster, [], []
        self.in_flight_at_kills, self.wire_faults = 0, 0
        self.recoveries = []

    def kill(self, worker):
        """At most this many calls of that worker were in flight, or answered and not yet written."""
        self.in_flight_at_kills += self.cluster.concurrency

    def wire(self):
        self.wire_faults += 1

    def violation(self, text):
        self.violations.append(text)

    def back(self, name):
        """A server is there again: how long until results are written again?"""
        start, before = time.monotonic(), self.cluster.results()
        while time.monotonic() - start < 20:
            time.sleep(0.1)
            now = self.cluster.results()
            if before is None:
                before = now
            elif now is not None and now > before:
                self.recoveries.append((name, time.monotonic() - start))
                return


class Load(threading.Thread):
    """Submits jobs one after another, again and again until each is accepted."""

    def __init__(self, cluster, rng, seconds, rate):
        super().__init__(daemon=True)
        self.cluster, self.rng, self.rate = cluster, rng, rate
        self.end = time.monotonic() + seconds
        self.jobs, self.error = [], None

    def run(self):
        try:
            while time.monotonic() < self.end:
                self.one()
        except Exception as e:  # the main thread reports it
            self.error = e

    def one(self):
        start = time.monotonic()
        kind = self.rng.choices(("plain", "poison", "cancel", "late"), (5, 3, 1, 1))[0]
        size = self.rng.randint(200, 1800)
        job = Job(len(self.jobs), kind, size, self.rng.choice(("high", "normal", "low")), self.rng,
                  self.cluster.path)
        self.jobs.append(job)
        self.submit(job)
        if kind == "cancel":
            time.sleep(self.rng.uniform(0.5, 3))
            self.insist("cancel", job.name, *self.rng.choice(((), ("--let-running-finish",))))
        elif kind == "poison":
            self.duplicate(job)
        time.sleep(max(0, start + size / self.rate - time.monotonic()))

    def arguments(self, job):
        late = ("--deadline", "6s") if job.kind == "late" else ()
        return ("submit", job.path, "--job", job.name, "-p", job.lane, "--tenant", job.tenant, *late)

    def submit(self, job):
        """Sometimes killed in the middle, and always repeated: it is the same job."""
        if self.rng.random() < 0.3:
            p = subprocess.Popen([BIN / "quern", *map(str, self.arguments(job)), "--config",
                                  self.cluster.config], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            time.sleep(self.rng.uniform(0.02, 0.2))
            p.kill()
            p.wait()
        self.insist(*self.arguments(job))
        job.submitted = True
        if self.rng.random() < 0.3:
            self.insist(*self.arguments(job))

    def insist(self, *args):
        for _ in range(120):
            done = self.cluster.quern(*args, check=False)
            if done.returncode == 0:
                return
            time.sleep(0.5)
        raise RuntimeError(f"quern {' '.join(map(str, args))} fails for ever: {done.stderr}")

    def duplicate(self, job):
        """A clumsy producer sends some records twice: they must cost nothing."""
        producer = confluent_kafka.Producer({"bootstrap.servers": self.cluster.brokers(), "log_level": 0,
                                              "partitioner": "murmur2_random"})
        try:
            job_id = self.cluster.sql("SELECT id::text FROM jobs WHERE name = %s", job.name)[0][0]
            for line in list(open(job.path, encoding="utf-8"))[:200]:
                r = json.loads(line)
                doc = {"v": 1, "job_id": job_id, "custom_id": r["custom_id"], "url": r["url"],
                       "body": r["body"]}
                producer.produce("quern.tasks." + job.lane, json.dumps(doc),
                                 f"{job_id}/{r['custom_id']}")
            producer.flush(10)
        except Exception:
            pass  # a server is away; it was only a nuisance


def replay_failures(cluster, jobs):
    """What failed is queued again, twice; the poison fails once more."""
    for job in jobs:
        if job.kind == "poison":
            for _ in range(2):
                cluster.quern("retry", job.name, "--failed")


def wait_for_the_end(cluster, jobs, patience):
    """Until every job is over, or nothing has moved for `patience` seconds."""
    last, since = None, time.monotonic()
    while time.monotonic() - since < patience:
        rows = cluster.sql("SELECT count(*) FILTER (WHERE state IN ('completed', 'cancelled')), count(*),"
                           " sum(done) FROM job_status")
        if rows[0][0] == rows[0][1] >= len(jobs):
            return
        if rows != last:
            last, since = rows, time.monotonic()
        time.sleep(0.5)


def break_things(cluster, rng, seconds, notes, only):
    """One fault after another, all kinds in turn, in an order of the seed."""
    end, queue, start = time.monotonic() + seconds, [], time.monotonic()
    while time.monotonic() < end:
        if not queue:
            queue = [f for f in faults.ALL if not only or f.__name__ in only]
            rng.shuffle(queue)
        fault = queue.pop()
        at = time.monotonic() - start
        did = fault(cluster, rng, notes)
        notes.events.append((at, fault.__name__, did))
        print(f"{at:6.1f} s  {fault.__name__.replace('_', ' '):20} {did}", flush=True)
        time.sleep(rng.uniform(0.5, 3))


def report(jobs, lost, repeats, books, watch, notes, violations):
    total = sum(len(j.ids) for j in jobs)
    print(f"\nsubmitted            {total} tasks in {len(jobs)} jobs")
    print(f"lost                 {lost}")
    print(f"calls billed         {books['billed']} ({books['tokens billed']} tokens)")
    print(f"paid twice           {sum(repeats.values())}"
          + "".join(f"\n  {cause}: {n}" for cause, n in sorted(repeats.items())))
    print(f"in flight at kills   at most {notes.in_flight_at_kills}")
    print(f"in no books          {books['unbooked']} (their worker was killed)")
    print(f"offsets checked      {watch.checked} records below a committed offset")
    for name in ("postgres", "kafka"):
        times = sorted(t for n, t in notes.recoveries if n == name)
        if times:
            print(f"resumed after {name:9}median {times[len(times) // 2]:.1f} s, worst {times[-1]:.1f} s")
    print("violations           " + ("none" if not violations else ""))
    for v in violations[:20]:
        print(f"  {v}")


def run(args, plant="", only=(), minutes=None):
    rng, seconds = random.Random(args.seed), (minutes or args.minutes) * 60
    path = ROOT / ".dev/chaos"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    cluster = Cluster(path, args.workers, args.concurrency, plant and plant + "=on")
    notes = Notes(cluster)
    try:
        cluster.start()
        watch = audit.OffsetWatch(cluster)
        watch.start()
        load = Load(cluster, random.Random(args.seed + 1), seconds, args.rate)
        load.start()
        break_things(cluster, rng, seconds, notes, only)
        load.join(180)
        if load.error or load.is_alive():
            notes.violation(f"the load did not end: {load.error}")
        for w in cluster.workers:
            if not w.running():
                notes.violation(f"worker {w.number} died by itself: exit {w.popen.returncode}")
                w.start()
        patience = 25 if plant else 60
        wait_for_the_end(cluster, load.jobs, patience)
        replay_failures(cluster, load.jobs)
        wait_for_the_end(cluster, load.jobs, patience)
        time.sleep(3)  # the last offsets
        violations = list(notes.violations)
        lost = audit.jobs_are_whole(cluster, load.jobs, violations)
        audit.rows_agree(cluster, violations)
        audit.budgets_agree(cluster, violations)
        audit.letters_arrived(cluster, violations)
        repeats, books = audit.books_agree(cluster, notes.in_flight_at_kills, notes.wire_faults,
                                           violations)
        behind = watch.finish()
        violations += watch.violations[:5]
        if behind:
            violations.append(f"{behind} records are done, and behind no committed offset")
        report(load.jobs, lost, repeats, books, watch, notes, violations)
        return violations
    finally:
        cluster.stop()


def prove(args):
    """Every planted mistake must be caught."""
    missed = []
    for plant in PLANTS:
        print(f"\n==== {plant}", flush=True)
        if not run(args, plant, ("worker_sigkill", "worker_sigterm", "postgres_locked"), 0.5):
            missed.append(plant)
    print("\nplanted mistakes: " + ("all caught" if not missed else "NOT caught: " + ", ".join(missed)))
    return 1 if missed else 0


def main():
    p = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    p.add_argument("--minutes", type=float, default=3, help="of faults (default 3)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--workers", type=int, default=3)
    p.add_argument("--concurrency", type=int, default=64, help="of each worker")
    p.add_argument("--rate", type=float, default=150, help="tasks a second that are submitted")
    p.add_argument("--fault", action="append", default=[], help="only these; may be repeated")
    p.add_argument("--plant", default="", choices=("",) + PLANTS, help="a mistake to be caught")
    p.add_argument("--prove", action="store_true", help="all planted mistakes, shortly")
    args = p.parse_args()
    if args.prove:
        return prove(args)
    return 1 if run(args, args.plant, args.fault) else 0


if __name__ == "__main__":
    sys.exit(main())
