"""A Kafka of a test's own whose clients come through a proxy: its advertised port is the proxy's."""
import base64
import os
import re
import socket
import subprocess
import time

from helpers import ROOT
from proxy import Proxy

JARS = ROOT / ".dev/cache/kafka/*"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Kafka:
    """Starts in about 4 s. `brokers` is what clients use; `proxy` stands before it."""

    def __init__(self, path):
        self.path = path
        self.port, controller = free_port(), free_port()
        self.proxy = Proxy(self.port)
        self.brokers = f"127.0.0.1:{self.proxy.port}"
        base = (ROOT / ".dev/kafka/server.properties").read_text()
        # Listens on its own port, is known by the proxy's; everything else as in ./dev.
        ours = {"controller.quorum.voters": f"1@127.0.0.1:{controller}",
                "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
                "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.proxy.port}",
                "log.dirs": path / "data"}
        for key, value in ours.items():
            base = re.sub(rf"^{re.escape(key)}=.*$", f"{key}={value}", base, flags=re.M)
        self.config = path / "server.properties"
        self.config.write_text(base)
        cluster = base64.b64encode(os.urandom(16), b"ab").decode().rstrip("=")  # one that begins with "-" would be an option
        self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", self.config).wait(30)
        self.popen = None
        self.start()

    def _java(self, *args):
        with open(self.path / "kafka.log", "ab") as log:
            return subprocess.Popen(
                ["java", "-Xmx300m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                 "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", str(JARS), *map(str, args)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def start(self):
        self.popen = self._java("kafka.Kafka", self.config)
        end = time.monotonic() + 40
        while True:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.popen.poll() is None and time.monotonic() < end, \
                (self.path / "kafka.log").read_text()[-2000:]
            time.sleep(0.1)

    def kill(self):
        self.popen.kill()
        self.popen.wait()

    def close(self):
        self.kill()
        self.proxy.close()
