"""A TCP proxy that misbehaves on demand: put it between two parts and cut, stall or delay."""
import contextlib
import socket
import struct
import threading
import time


def hard_close(*sockets):
    """Closes with a reset, so that the other side notices at once, whoever still reads."""
    for s in sockets:
        with contextlib.suppress(OSError):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)
        s.close()


class Pair:
    """One connection through the proxy."""

    def __init__(self, client, server):
        self.client, self.server = client, server

    def close(self):
        hard_close(self.client, self.server)


class Proxy:
    """Forwards 127.0.0.1:port to a target (a port of this machine); every method may be called
    from any thread, at any time."""

    def __init__(self, target, port=0):
        self.target = target
        self.lock = threading.Lock()
        self.flow = threading.Event()  # clear: stalled
        self.flow.set()
        self.pairs, self.seconds, self.to_drop, self.dropped = set(), 0.0, 0, 0
        self.listener, self.port = None, port
        self.restore()

    # ---- what it can do to the connections ----

    def cut(self):
        """Closes all connections and refuses new ones."""
        with self.lock:
            listener, self.listener = self.listener, None
        if listener:
            hard_close(listener)
        self.break_connections()

    def break_connections(self):
        """Closes all connections; new ones are welcome."""
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for p in pairs:
            p.close()

    def restore(self):
        """Forwards again, after anything."""
        self.seconds, self.to_drop = 0.0, 0
        self.flow.set()
        with self.lock:
            if self.listener:
                return
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind(("127.0.0.1", self.port))
            self.listener.listen(1000)
            self.port = self.listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stall(self):
        """Keeps the connections, and takes new ones, but forwards nothing."""
        self.flow.clear()

    def delay(self, seconds):
        """Each piece of data, in both directions, arrives so much later."""
        self.seconds = seconds

    def drop_replies(self, count):
        """The next `count` times that the server says something, it is swallowed and the connection
        is cut: what was asked for has been done, and nobody is told."""
        self.dropped = 0
        self.to_drop = count

    def close(self):
        self.cut()
        self.flow.set()

    # ---- how ----

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), 5)
                server.settimeout(None)
            except OSError:
                hard_close(client)
                continue
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = Pair(client, server)
            with self.lock:
                alive = self.listener is listener
                if alive:
                    self.pairs.add(pair)
            if not alive:
                pair.close()
                continue
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(pair, source, sink), daemon=True).start()

    def _swallow(self, pair, source):
        with self.lock:
            if source is not pair.server or self.to_drop == 0:
                return False
            self.to_drop -= 1
            self.dropped += 1
            return True

    def _pump(self, pair, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.flow.wait()
                if self.seconds:
                    time.sleep(self.seconds)
                if self._swallow(pair, source):
                    break
                sink.sendall(data)
        with self.lock:
            self.pairs.discard(pair)
        pair.close()
