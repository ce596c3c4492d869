"""One row that PostgreSQL refuses hurts only itself."""
import pytest

from helpers import write_batch

pytestmark = pytest.mark.timeout(60)

REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.custom_id = 't-7' AND {condition} THEN
        RAISE EXCEPTION 'not this one' USING ERRCODE = '22003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON results FOR EACH ROW EXECUTE FUNCTION refuse()
"""


def start(world, condition):
    stub = world.start_stub()
    world.set_up(stub)
    world.db.execute(REFUSE.format(condition=condition))
    path = write_batch(world.path / "in.jsonl", 50)
    world.quern("submit", path, "--job", "job")
    return world.start_worker()


def test_a_refused_result_is_stored_as_failed(world):
    start(world, "NEW.response IS NOT NULL")
    world.wait_rows(50)
    assert world.sql("SELECT custom_id, error_type FROM results WHERE status <> 'succeeded'") == [
        ("t-7", "unstorable")]
    world.check_counters()


def test_a_row_that_is_always_refused_holds_up_nobody(world):
    worker = start(world, "true")
    world.wait_rows(49)
    world.db.execute("DROP TRIGGER refuse ON results")
    world.wait_rows(50)  # it was kept, and is written once it can be
    assert worker.stop() == 0
    assert worker.finished() == 50
    world.check_counters()
