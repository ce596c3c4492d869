"""quern maintain: partitions are made ahead, and what is too old goes, and nothing else."""

import pytest

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
