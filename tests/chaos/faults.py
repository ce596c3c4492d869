"""What can happen: each fault is a function of the cluster and of the seeded choices, and returns
what it did. Whatever it breaks it mends before it returns."""
import signal
import time


def worker_sigkill(c, rng, note):
    w = rng.choice([w for w in c.workers if w.running()])
    note.kill(w)
    w.kill()
    time.sleep(rng.uniform(0.5, 8))
    w.start()
    return f"worker {w.number}"


def worker_frozen(c, rng, note):
    """Past the session time-out, and then it goes on."""
    w = rng.choice([w for w in c.workers if w.running()])
    note.kill(w)
    w.signal(signal.SIGSTOP)
    time.sleep(rng.uniform(8, 12))
    w.signal(signal.SIGCONT)
    return f"worker {w.number}"


def worker_sigterm(c, rng, note):
    w = rng.choice([w for w in c.workers if w.running()])
    w.signal(signal.SIGTERM)
    if w.popen.wait(60) != 0:
        note.violation(f"worker {w.number}: exit {w.popen.returncode} after SIGTERM")
    w.start()
    return f"worker {w.number}"


def rolling_restart(c, rng, note):
    for w in [w for w in c.workers if w.running()]:
        w.signal(signal.SIGTERM)
        if w.popen.wait(60) != 0:
            note.violation(f"worker {w.number}: exit {w.popen.returncode} after SIGTERM")
        w.start()
    return "all workers"


FAILPOINTS = ("after-call", "after-write", "before-commit", "after-commit", "after-publish")


def failpoint(c, rng, note):
    """A worker kills itself in one of the narrow windows."""
    w = rng.choice([w for w in c.workers if w.running()])
    point = rng.choice(FAILPOINTS)
    passage = rng.randint(1, 3) if "commit" in point or "publish" in point else rng.randint(5, 200)
    w.signal(signal.SIGTERM)
    w.popen.wait(60)
    w.start(f"{point}=kill@{passage}")
    end = time.monotonic() + 15
    while w.running() and time.monotonic() < end:
        time.sleep(0.1)
    if not w.running():
        note.kill(w)
        w.start()
    return f"worker {w.number}, {point}, passage {passage}"


def postgres_killed(c, rng, note):
    c.kill_server("postgres")
    time.sleep(rng.uniform(0.5, 6))
    c.start_server("postgres")
    note.back("postgres")
    return ""


def postgres_restarted(c, rng, note):
    c.kill_server("postgres", signal.SIGINT)
    c.start_server("postgres")
    note.back("postgres")
    return "fast shutdown"


def postgres_locked(c, rng, note):
    mode = rng.choice(("SHARE", "ACCESS EXCLUSIVE"))  # the first lets the audit read meanwhile
    with c.db() as db, db.transaction():
        db.execute(f"LOCK TABLE results IN {mode} MODE")
        time.sleep(rng.uniform(4, 8))
    note.back("postgres")
    return f"results, in {mode} mode"


def kafka_killed(c, rng, note):
    c.kill_server("kafka")
    time.sleep(rng.uniform(0.5, 5))
    c.start_server("kafka")
    note.back("kafka")
    return ""


def kafka_restarted(c, rng, note):
    c.kill_server("kafka", signal.SIGTERM)
    c.start_server("kafka")
    note.back("kafka")
    return "clean shutdown"


def backend_gone(c, rng, note):
    note.wire()
    c.stub.kill()
    c.stub.wait()
    time.sleep(rng.uniform(2, 8))
    c.start_stub()
    return ""


def backend_storm(c, rng, note):
    kind = rng.choice(("429", "503", "500"))
    c.stub_fault(kind, 1)
    time.sleep(rng.uniform(2, 8))
    c.stub_fault(kind, 0)
    return kind


def network_cut(c, rng, note):
    name = rng.choice(("pg", "kafka", "stub"))
    proxy = getattr(c, name + "_proxy")
    if name == "stub":
        note.wire()
    proxy.cut()
    time.sleep(rng.uniform(0.2, 5))
    proxy.restore()
    if name != "stub":
        note.back({"pg": "postgres"}.get(name, name))
    return name


def network_stalled(c, rng, note):
    name = rng.choice(("pg", "kafka"))
    proxy = getattr(c, name + "_proxy")
    proxy.stall()
    time.sleep(rng.uniform(1, 4))
    proxy.restore()
    note.back({"pg": "postgres"}.get(name, name))
    return name


def network_slow(c, rng, note):
    name = rng.choice(("pg", "kafka", "stub"))
    proxy = getattr(c, name + "_proxy")
    proxy.delay(rng.uniform(0.05, 0.4))
    time.sleep(rng.uniform(3, 6))
    proxy.restore()
    return name


def replies_dropped(c, rng, note):
    """PostgreSQL commits, and nobody hears of it."""
    for _ in range(rng.randint(2, 6)):
        c.pg_proxy.drop_replies(rng.randint(1, 3))
        time.sleep(rng.uniform(0.3, 1))
    c.pg_proxy.restore()
    return ""


ALL = (worker_sigkill, worker_frozen, worker_sigterm, rolling_restart, failpoint, postgres_killed,
       postgres_restarted, postgres_locked, kafka_killed, kafka_restarted, backend_gone,
       backend_storm, network_cut, network_stalled, network_slow, replies_dropped)
