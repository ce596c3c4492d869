"""The worker stays below worker.memory_limit, whatever comes in, and while nothing goes out."""
import base64
import os
import threading
import time

import pytest

from helpers import SANITIZED, request, wait_until, write_lines

pytestmark = [pytest.mark.timeout(90),
              pytest.mark.skipif(SANITIZED, reason="a sanitizer's own memory counts too")]
MIB = 1 << 20
LIMIT = 160 * MIB


class Rss(threading.Thread):
    """The largest resident size of a process, sampled."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.done = pid, 0, False
        self.start()

    def run(self):
        while not self.done:
            with open(f"/proc/{self.pid}/statm", encoding="ascii") as f:
                self.peak = max(self.peak, int(f.read().split()[1]) * 4096)
            time.sleep(0.02)


def start(world, count, size, text=lambda size: base64.b64encode(os.urandom(size * 3 // 4)).decode()):
    stub = world.start_stub("--latency", "0.05")
    world.set_up(stub, worker={"concurrency": 64, "memory_limit": "160MiB"})
    lines = (request(f"t-{i}", f"Summarize {i}: " + text(size)) for i in range(count))
    path = write_lines(world.path / "in.jsonl", lines)
    for lane in ("high", "normal", "low"):
        world.quern("submit", path, "--job", lane, "--priority", lane)
    worker = world.start_worker()
    return stub, worker, Rss(worker.popen.pid)


def test_a_backlog_of_large_tasks(world):
    _, worker, rss = start(world, 200, 300_000)  # 180 MB in all
    world.wait_rows(600, 60)
    rss.done = True
    assert worker.stop() == 0
    assert rss.peak < LIMIT, f"{rss.peak / MIB:.0f} MiB"


def test_a_backlog_that_compresses_well(world):
    """Tasks that are nearly alike: what one fetch brings unpacks to forty times its size."""
    _, worker, rss = start(world, 20_000, 4_000, lambda size: "the same words again " * (size // 21))
    world.wait_rows(10_000, 60)  # and not held up by what was fetched and cannot be taken
    rss.done = True
    worker.kill()
    assert rss.peak < LIMIT, f"{rss.peak / MIB:.0f} MiB"


def test_results_that_wait_for_postgresql(world):
    stub, worker, rss = start(world, 600, 100_000)
    world.wait_rows(20)
    with world.servers.connect(world.database) as db, db.transaction():
        db.execute("LOCK TABLE results IN ACCESS EXCLUSIVE MODE")
        time.sleep(6)
        calls = stub.total()
        time.sleep(2)
        assert stub.total() - calls < 600, "it goes on as if nothing were"
    wait_until(lambda: world.rows() > 500, 20, "results after the lock")
    rss.done = True
    assert rss.peak < LIMIT, f"{rss.peak / MIB:.0f} MiB"
    assert world.value("SELECT count(*) FROM results WHERE status <> 'succeeded'") == 0
    assert worker.running()
