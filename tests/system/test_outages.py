"""Outages between all parts, by a proxy: they cost time, never a task, never a second call."""
import signal
import threading
import time

import pytest

from helpers import World, wait_until, write_batch
from own_kafka import Kafka
from proxy import Proxy

pytestmark = [pytest.mark.timeout(90), pytest.mark.waits]
SUCCEEDED = "SELECT count(*) FROM results WHERE status = 'succeeded'"


def start(world, total=600, latency="0.03", concurrency=16, **changes):
    """A worker whose PostgreSQL is behind a proxy, with a job under way."""
    stub = world.start_stub("--latency", latency)
    world.set_up(stub, worker={"concurrency": concurrency, **changes.pop("worker", {})}, **changes)
    submit(world, "job", total)
    proxy = Proxy(int(world.servers.postgres.split(":")[1]))
    through = world.url.replace(world.servers.postgres, f"127.0.0.1:{proxy.port}")
    worker = world.start_worker(QUERN_DATABASE_URL=through)
    world.wait_rows(60)
    return stub, proxy, worker


def submit(world, job, total, *args):
    path = write_batch(world.path / f"{job}.jsonl", total, prefix=job)
    world.quern("submit", path, "--job", job, *args)


def check(world, stub, worker, total, repeats=0):
    """All that was promised; and the worker goes on with what comes now."""
    world.wait_rows(total, 30)
    submit(world, "later", 50, "--wait")
    assert worker.stop() == 0
    assert world.sql("SELECT status, count(*), max(attempts) FROM results GROUP BY 1") == [
        ("succeeded", total + 50, 1)]
    assert sum(n - 1 for n in stub.calls().values()) <= repeats and len(stub.calls()) == total + 50
    assert world.value("SELECT count(*) FROM dead_letters") == 0
    assert stub.total() - repeats <= world.value("SELECT count(*) FROM attempts") <= stub.total()
    world.check_counters()


def seconds_until_more(world, since):
    """From `since` (monotonic) until the next new row."""
    rows = world.rows()
    wait_until(lambda: world.rows() > rows, 15, "new results", 0.02)
    return time.monotonic() - since


@pytest.mark.parametrize("how", ["cut", "stall"])
def test_postgresql_is_away(world, how):
    stub, proxy, worker = start(world)
    getattr(proxy, how)()
    time.sleep(0.5)
    rows, calls = world.rows(), stub.total()
    time.sleep(3)
    assert world.rows() == rows
    assert stub.total() > calls, "what was read already can be called meanwhile"
    assert worker.running()
    back = time.monotonic()
    proxy.restore()
    assert seconds_until_more(world, back) < 2
    check(world, stub, worker, 600)


def test_a_worker_dies_while_postgresql_is_away(world):
    """Its results are lost with it, so no offset of theirs may have been committed."""
    stub, proxy, worker = start(world, kafka={"instance_id": "w"})
    proxy.cut()
    time.sleep(2.5)
    unwritten = stub.total() - world.rows()
    worker.kill()
    assert unwritten > 100
    proxy.restore()
    check(world, stub, world.start_worker(), 600, repeats=unwritten)


def test_results_that_cannot_be_written_are_bounded(world):
    stub, proxy, worker = start(world, total=3000, latency="0.005", worker={"queue_tasks": 200})
    proxy.cut()
    time.sleep(3)
    assert stub.total() - world.rows() <= 200 + 16
    proxy.restore()
    check(world, stub, worker, 3000)


def test_connections_break_again_and_again(world):
    stub, proxy, worker = start(world)
    for _ in range(20):
        time.sleep(0.15)
        proxy.break_connections()
    check(world, stub, worker, 600)


def test_replies_are_lost_after_the_commit(world):
    stub, proxy, worker = start(world, total=1000)
    for _ in range(8):
        proxy.drop_replies(1)
        wait_until(lambda: proxy.dropped, 5)
        assert seconds_until_more(world, time.monotonic()) < 2
    check(world, stub, worker, 1000)
    assert len(worker.events("PostgreSQL connection lost")) == 8


def test_a_slow_network_to_postgresql_is_only_slow(world):
    stub, proxy, worker = start(world, total=1000)
    proxy.delay(0.2)
    begun, rows = time.monotonic(), world.rows()
    time.sleep(3)
    rate = (world.rows() - rows) / (time.monotonic() - begun)
    assert rate > 60, "a round trip of 0.4 s holds up the calls"
    proxy.restore()
    check(world, stub, worker, 1000)


def test_somebody_holds_a_lock(world):
    """Longer than the worker's own lock_timeout of 5 s; its statements fail and are sent again."""
    stub, _, worker = start(world)

    def hold():
        with world.servers.connect(world.database) as db, db.transaction():
            db.execute("LOCK TABLE results, job_counters, jobs IN ACCESS EXCLUSIVE MODE")
            time.sleep(8)

    holder = threading.Thread(target=hold)
    holder.start()
    holder.join()
    world.wait_rows(600, 8)
    check(world, stub, worker, 600)


def test_statements_time_out(world):
    """The server ends every statement that writes, for a while."""
    stub, _, worker = start(world)
    world.db.execute(
        "CREATE FUNCTION too_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
        " 'canceling statement due to statement timeout' USING ERRCODE = '57014'; END $$;"
        "CREATE TRIGGER too_slow BEFORE INSERT ON results EXECUTE FUNCTION too_slow()")
    rows = world.rows()
    wait_until(lambda: len(worker.events("results were not written; they wait")) >= 5)
    assert world.rows() == rows
    world.db.execute("DROP TRIGGER too_slow ON results")
    assert seconds_until_more(world, time.monotonic()) < 2
    check(world, stub, worker, 600)


# ---- the model backend ----

@pytest.mark.parametrize("how", ["cut", "stall", "delay", "drop_replies"])
def test_the_network_to_the_backend_fails(world, how):
    stub = world.start_stub("--latency", "0.03")
    proxy = Proxy(int(stub.url.split(":")[2].split("/")[0]))
    backend = {"name": "stub", "base_url": f"http://127.0.0.1:{proxy.port}/v1",
               "timeout": {"total": "1s"}, "breaker": {"wait": "300ms", "wait_max": "1s"}}
    world.set_up(worker={"concurrency": 16}, backends=[backend])
    worker = world.start_worker()
    submit(world, "job", 600)
    world.wait_rows(60)
    getattr(proxy, how)(*{"delay": [0.2], "drop_replies": [30]}.get(how, []))
    time.sleep(2.5)
    proxy.restore()
    world.wait_rows(600, 15)
    submit(world, "later", 50, "--wait")
    assert worker.stop() == 0
    assert world.sql("SELECT status, count(*) FROM results GROUP BY 1") == [("succeeded", 650)]
    booked = world.value("SELECT count(*) FROM attempts")
    assert booked >= stub.total(), "a call is in nobody's books"
    world.check_counters()
    proxy.close()


# ---- Kafka ----

@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    k = Kafka(tmp_path_factory.mktemp("kafka"))
    yield k
    k.close()


@pytest.fixture
def kafka_world(servers, broker, tmp_path, request):
    """A world on a Kafka of its own, behind a proxy."""
    class Own:
        brokers, postgres = broker.brokers, servers.postgres
        url, connect = staticmethod(servers.url), staticmethod(servers.connect)

    w = World(Own, tmp_path)
    yield w
    broker.proxy.restore()
    for name, text in w.logs().items():
        print(f"---- {name}\n{text[-4000:]}")
    w.close()


@pytest.mark.parametrize("how", ["cut", "stall", "restart"])
def test_kafka_is_away(kafka_world, broker, how):
    world = kafka_world
    stub = world.start_stub("--latency", "0.05")
    world.set_up(stub, worker={"concurrency": 16, "queue_tasks": 100})
    submit(world, "job", 1000)
    worker = world.start_worker()
    world.wait_rows(100)
    broker.kill() if how == "restart" else getattr(broker.proxy, how)()
    time.sleep(5)
    assert world.rows() == stub.total(), "calls in flight end, and are written"
    broker.start() if how == "restart" else broker.proxy.restore()
    if world.rows() < 1000:
        assert seconds_until_more(world, time.monotonic()) < 10
    check(world, stub, worker, 1000, repeats=16)


def test_sigterm_while_kafka_is_away_lets_calls_end(kafka_world, broker):
    """The session is lost in the middle of the grace: the calls are paid, so they are written."""
    world = kafka_world
    stub = world.start_stub("--latency", "10")
    world.set_up(stub, worker={"concurrency": 16, "shutdown_grace": "25s"})
    submit(world, "job", 40)
    worker = world.start_worker()
    wait_until(lambda: stub.total() == 16, 15)
    broker.proxy.cut()
    assert worker.stop(40) == 0
    broker.proxy.restore()
    assert world.rows() == stub.total() == 16
    world.check_counters()
    world.start_worker()
    world.wait_rows(40, 40)
    assert stub.total() == 40 and not stub.repeated()


def test_two_workers_of_one_instance_id(kafka_world):
    """The one that is fenced says so and ends; it does not stand about for ever."""
    world = kafka_world
    stub = world.start_stub("--latency", "0.2")
    world.set_up(stub, worker={"concurrency": 4}, kafka={"instance_id": "same"})
    submit(world, "job", 100)
    first = world.start_worker()
    world.wait_rows(10)
    second = world.start_worker()
    wait_until(lambda: not first.running(), 20, "the end of the fenced worker")
    assert first.popen.returncode == 1 and "instance_id" in first.text()
    world.wait_rows(100, 40)
    assert second.stop() == 0
    assert world.sql("SELECT status, count(*) FROM results GROUP BY 1") == [("succeeded", 100)]


@pytest.mark.parametrize("state", ["53100", "53200", "57014", "55P03"])
def test_an_error_that_may_pass_fails_no_task(world, state):
    """A full disk, no memory, a statement time-out, a lock."""
    stub = world.start_stub("--latency", "0.02")
    world.set_up(stub, worker={"concurrency": 8})
    world.db.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                     f" RAISE EXCEPTION 'not now' USING ERRCODE = '{state}'; END $$")
    world.db.execute("CREATE TRIGGER refuse BEFORE INSERT ON results FOR EACH STATEMENT"
                     " EXECUTE FUNCTION refuse()")
    submit(world, "job", 60)
    worker = world.start_worker()
    wait_until(lambda: stub.total() == 60, 20)
    time.sleep(0.5)
    assert world.rows() == 0
    world.db.execute("DROP TRIGGER refuse ON results")
    begun = time.monotonic()
    world.wait_rows(60)
    assert time.monotonic() - begun < 2
    check(world, stub, worker, 60)


def test_a_server_that_became_a_standby_is_left(world):
    stub = world.start_stub("--latency", "0.02")
    world.set_up(stub, worker={"concurrency": 8})
    submit(world, "job", 60)
    database = world.database
    with world.servers.connect("postgres") as db:
        db.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    worker = world.start_worker()
    wait_until(lambda: len(worker.events("PostgreSQL connection lost")) >= 2, 10)
    assert world.rows() == 0 and stub.total() == 0
    with world.servers.connect("postgres") as db:
        db.execute(f"ALTER DATABASE {database} RESET default_transaction_read_only")
    world.wait_rows(60)
    check(world, stub, worker, 60)


def test_a_frozen_worker_goes_on(world):
    """A machine that sleeps: the groups of idle lanes have nothing to commit, and are not waited for."""
    stub = world.start_stub("--latency", "0.05")
    world.set_up(stub, worker={"concurrency": 4}, kafka={"session_timeout": "12s"})
    submit(world, "job", 400)
    worker = world.start_worker()
    world.wait_rows(20)
    worker.signal(signal.SIGSTOP)
    time.sleep(6)  # past a third of the session and a second, within the session
    worker.signal(signal.SIGCONT)
    check(world, stub, worker, 400)
    assert len(worker.events("Kafka answers again")) <= 1
