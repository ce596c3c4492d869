"""A TCP proxy whose connections fail on demand. Its loop runs in a thread of its own."""
import asyncio
import threading

CHUNK = 65536


class Proxy:
    """127.0.0.1:port -> target. Every method takes effect at once and may be called from any thread."""

    def __init__(self, target, port=0):
        self.target, self.port = target, port
        self._delay, self._drops = 0.0, 0
        self._refuse, self._pairs = False, set()
        self._flows = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    async def _listen(self):
        self._flows.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    # ---- faults ----

    def cut(self):
        """Closes what is open, and refuses what comes, until restore()."""
        self._call(self._cut)

    def stall(self):
        """Keeps connections, forwards nothing, until restore()."""
        self._call(self._flows.clear)

    def delay(self, seconds):
        """Each piece of data waits, in both directions."""
        self._delay = seconds

    def drop_replies(self, count=1):
        """The next replies of the server are lost, and their connections with them."""
        self._drops = count

    def restore(self):
        self._delay, self._drops, self._refuse = 0.0, 0, False
        self._call(self._flows.set)

    def close(self):
        self.cut()
        self._call(self._server.close)
        self._call(self._loop.stop)
        self._thread.join(5)

    # ---- in the loop's thread ----

    def _call(self, function):
        self._loop.call_soon_threadsafe(function)

    def _cut(self):
        self._refuse = True
        self._flows.set()
        for writer in list(self._pairs):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        if self._refuse:
            writer.transport.abort()
            return
        try:
            back_reader, back_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, back_writer}
        self._pairs |= pair
        await asyncio.gather(self._pump(reader, back_writer, False),
                             self._pump(back_reader, writer, True))
        self._pairs -= pair
        for w in pair:
            w.transport.abort()

    async def _pump(self, reader, writer, reply):
        try:
            while data := await reader.read(CHUNK):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._flows.wait()
                if reply and self._drops > 0:
                    self._drops -= 1
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.transport.abort() if reply and self._drops else writer.close()
