"""quern maintain: partitions are made ahead, and what is too old goes, and nothing else."""

import pytest

from helpers_kafka import task, uuid7
from helpers import request, wait_until, write_lines

pytestmark = pytest.mark.timeout(90)
WEEK = {"results": "8d", "attempts": "20d", "dead_letters": "8d"}


def partitions(world, parent):
    return {r[0] for r in world.sql("SELECT relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid"
                                    " WHERE i.inhparent = %s::regclass", parent)}


def run_job(world, name, count=3, bad=1):
    lines = [request(f"ok-{i}", f"Text {i} of {name}") for i in range(count)]
    lines += [request(f"bad-{i}", f"[[stub:400]] {i} {name}") for i in range(bad)]
    world.quern("submit", write_lines(world.path / f"{name}.jsonl", lines), "--job", name, "--wait", code=3 if bad else 0)


def age(world, name, days):
    """The job ended so long ago; its id and rows stay where they are."""
    wait_until(lambda: world.value("SELECT finished_at FROM jobs WHERE name = %s", name), 20, "its end")
    world.sql("UPDATE jobs SET finished_at = now() - make_interval(days => %s) WHERE name = %s RETURNING 1", days, name)
    world.sql("UPDATE dead_letters d SET created_at = now() - make_interval(days => %s) FROM jobs j"
              " WHERE j.id = d.job_id AND j.name = %s RETURNING 1", days, name)


def left(world):
    return {t: dict(world.sql(f"SELECT j.name, count(*) FROM {t} t JOIN jobs j ON j.id = t.job_id GROUP BY 1"))
            for t in ("results", "attempts", "dead_letters")}


def test_what_is_too_old_goes_by_its_own_age(world):
    world.set_up(world.start_stub(), retention=WEEK)
    world.start_worker()
    for name in ("new", "middle", "old"):
        run_job(world, name)
    age(world, "middle", 10)
    age(world, "old", 30)
    cost = world.quern("cost", "--by", "all", "-o", "json").out
    before = left(world)
    assert "would delete" in world.quern("maintain", "--dry-run").out and left(world) == before
    said = world.quern("maintain").out
    assert "deleted" in said
    after = left(world)
    assert after["results"] == {"new": 4} and after["attempts"] == {"new": 4, "middle": 4}
    assert after["dead_letters"] == {"new": 1}
    assert {r[0] for r in world.sql("SELECT name FROM jobs")} == {"new", "middle"}
    assert world.quern("cost", "--by", "all", "-o", "json").out == cost  # the sums stay
    assert "deleted      0 rows" in world.quern("maintain").out and left(world) == after


def test_no_attempt_goes_that_is_not_rolled_up(world):
    """A transaction that stays open keeps sums from being made, and so attempts from being deleted."""
    world.set_up(world.start_stub(), retention=WEEK)
    world.start_worker()
    with world.servers.connect(world.database) as other:
        other.autocommit = False
        other.execute("SELECT pg_current_xact_id()")
        run_job(world, "j")
        age(world, "j", 30)
        world.sql("UPDATE attempts SET started_at = now() - interval '30 days' RETURNING 1")
        cost = world.quern("cost", "--by", "all", "-o", "json").out
        assert "attempts stay" in world.quern("maintain").out
        assert left(world)["attempts"] == {"j": 4} and world.quern("cost", "--by", "all", "-o", "json").out == cost
    world.quern("maintain")
    assert left(world)["attempts"] == {} and world.quern("cost", "--by", "all", "-o", "json").out == cost


def test_a_job_that_goes_on_after_its_results_went(world, kafka):
    """Of a raw client: later tasks are kept for their own time, and the job as long as anything is left."""
    world.set_up(world.start_stub(), retention={"results": "8d", "attempts": "8d"})
    worker, job = world.start_worker(), uuid7()
    kafka.send([task(job, "a")])
    world.wait_rows(1)
    world.sql("UPDATE job_counters SET updated_at = now() - interval '10 days' RETURNING 1")
    world.sql("UPDATE attempts SET started_at = now() - interval '10 days' RETURNING 1")
    kafka.send([task(job, "late")])
    wait_until(lambda: world.rows() == 2, 20, "two results")
    world.quern("maintain")
    assert world.rows() == 2
    world.sql("UPDATE job_counters SET updated_at = now() - interval '10 days' RETURNING 1")
    worker.stop()
    wait_until(lambda: "costs are rolled up" in world.quern("maintain").out, 20, "a whole run")
    assert world.rows() == 0 and world.value("SELECT count(*) FROM jobs") == 0


def test_a_month_that_is_read_is_kept_and_blocks_nobody(world):
    world.set_up(retention=WEEK)
    world.db.execute("CREATE TABLE results_202001 PARTITION OF results FOR VALUES FROM (uuid_from('2020-01-01Z')) TO (uuid_from('2020-02-01Z'))")
    with world.servers.connect(world.database) as other:
        other.autocommit = False
        other.execute("SELECT count(*) FROM results")
        assert "in use" in world.quern("maintain").out
    assert "dropped      results_202001" in world.quern("maintain").out


def test_jobs_that_go_on_keep_everything(world):
    world.set_up(world.start_stub(), retention=WEEK)
    worker = world.start_worker()
    run_job(world, "j", bad=0)
    worker.stop()
    world.sql("UPDATE jobs SET finished_at = NULL, published = published + 1, created_at = now() - interval '1 year' RETURNING 1")
    world.quern("maintain")
    assert left(world)["results"] == {"j": 3}


def test_whole_months_are_dropped(world):
    world.set_up(retention=WEEK)
    for month in ("2020-01-15", "2020-02-15"):
        partition = month[:7].replace("-", "")
        for t in ("results", "attempts"):
            world.db.execute(f"CREATE TABLE {t}_{partition} PARTITION OF {t} FOR VALUES FROM (uuid_from('{month[:7]}-01Z'))"
                             f" TO (uuid_from('{month[:7]}-01Z'::timestamptz + interval '1 month'))")
        world.db.execute("INSERT INTO jobs (id, name, digest, finished_at, published) VALUES"
                         f" (uuid_from('{month}Z'), '{month}', 'd', {'NULL' if month > '2020-02' else 'now() - interval $$1 y$$'}, 1)")
    world.db.execute("INSERT INTO results (job_id, custom_id, status, lane, model, attempts, tokens, input_tokens, cached_tokens,"
                     " output_tokens, reasoning_tokens, finished_at) SELECT id, 't', 'succeeded', 'low', 'm', 1, 1, 1, 0, 0, 0, now() FROM jobs")
    said = world.quern("maintain").out
    assert "dropped      results_202001" in said and "results_202002" not in said
    assert "results_202001" not in partitions(world, "results") and "results_202002" in partitions(world, "results")
    assert world.value("SELECT count(*) FROM results") == 1


def test_partitions_are_made_ahead(world):
    world.set_up()
    for t in ("results", "attempts", "quality"):
        for (name,) in world.sql("SELECT relname::text FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid"
                                 " WHERE i.inhparent = %s::regclass AND relname ~ '[0-9]$'", t):
            world.db.execute(f"DROP TABLE {name}")
    world.quern("maintain")
    for t in ("results", "attempts", "quality"):
        assert len(partitions(world, t)) == 5  # this month, three ahead, and the default


def test_an_age_that_could_pay_twice_is_refused(world):
    world.configure(retention={"results": "1d"})
    assert "retention.results" in world.quern("config", "check", code=2).err


def test_one_at_a_time(world):
    world.set_up(retention=WEEK)
    world.sql("SELECT pg_advisory_lock(hashtextextended('quern.maintain', 0))")
    assert "somebody else" in world.quern("maintain").err
