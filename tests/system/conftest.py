"""Fixtures: the servers, once; a world for each test (`world`) or module (`shared`)."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

pytest.register_assert_rewrite("helpers", "helpers_kafka")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from helpers import BIN, ROOT, Servers, World  # noqa: E402
from helpers_kafka import Client  # noqa: E402

TAIL = 4000  # characters of each log, shown when a test fails
REPORT = pytest.StashKey()


def pytest_configure(config):
    config.addinivalue_line("markers", "waits: takes long because something must be away for a while")


def dev(verb):
    """Runs ./dev with the preset that the tests use."""
    env = {**os.environ, "QUERN_PRESET": BIN.parent.name}
    done = subprocess.run([ROOT / "dev", verb], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, f"./dev {verb}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def servers():
    running = set(re.findall(r"^(\w+) +running", dev("status"), re.M))
    if not {"kafka", "postgres"} <= running:
        dev("up")
    yield Servers()
    if not running:
        dev("down")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    item.stash[REPORT] = item.stash.get(REPORT, False) or report.failed



def finish(world, node):
    """Ends a world; shows its logs if the test failed; a sanitizer's finding is a failure."""
    logs = world.logs()
    world.close()
    if node.stash.get(REPORT, False):
        for name, text in logs.items():
            print(f"---- {name}\n{text[-TAIL:]}")
    for name, text in logs.items():
        assert "ERROR: AddressSanitizer" not in text and "runtime error" not in text, \
            f"{name}: {text[-TAIL:]}"


@pytest.fixture
def world(servers, tmp_path, request):
    w = World(servers, tmp_path)
    yield w
    finish(w, request.node)


@pytest.fixture(scope="module")
def shared(servers, tmp_path_factory, request):
    """One world for the tests of a module that leave no trace; no worker runs."""
    w = World(servers, tmp_path_factory.mktemp("shared"))
    w.set_up()
    yield w
    finish(w, request.node)


@pytest.fixture
def kafka(world):
    """A raw Kafka client beside quern; call it after the topics are made."""
    client = Client(world)
    yield client
    client.close()
