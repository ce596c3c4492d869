"""A plain Kafka client beside quern: writes and reads records, looks at offsets."""
import json
import os
import time
import uuid

import confluent_kafka
from confluent_kafka import TopicPartition

from helpers import LANES, MODEL


def uuid7():
    """A UUIDv7, as job ids are."""
    ms = int(time.time() * 1000)
    tail = int.from_bytes(os.urandom(10), "big") & ~(0xF << 76) & ~(0x3 << 62)
    return str(uuid.UUID(int=ms << 80 | tail | 0x7 << 76 | 0x2 << 62))


def task(job_id, custom_id, prompt="Summarize: a raw record of some length.", **fields):
    """A task document; a field that is None is left out."""
    doc = {"v": 1, "job_id": job_id, "custom_id": custom_id, "url": "/v1/chat/completions",
           "body": {"model": MODEL, "messages": [{"role": "user", "content": prompt}]}, **fields}
    return {k: v for k, v in doc.items() if v is not None}


class Client:
    """Records and offsets of one world's topics."""

    def __init__(self, world):
        self.world = world
        brokers = {"bootstrap.servers": world.servers.brokers}
        self.producer = confluent_kafka.Producer({**brokers, "linger.ms": 0})
        # They never subscribe, so they are no members of the groups: they only read offsets.
        self.consumers = {name: confluent_kafka.Consumer(
            {**brokers, "group.id": f"{world.group}.{name}", "enable.auto.commit": False})
            for name in (*LANES, "retry")}
        self.consumer = self.consumers["retry"]

    def topic(self, name):
        return self.world.prefix + name

    def send(self, records, lane="normal", partition=0, key=None):
        """Writes records (bytes, or documents) in order; returns their offsets."""
        offsets, errors = [], []

        def on_delivery(error, message):
            errors.extend([error] if error else [])
            offsets.append(message.offset())

        for r in records:
            value = r if r is None or isinstance(r, bytes) else json.dumps(r).encode()
            self.producer.produce(self.topic("tasks." + lane), value, key, partition,
                                  on_delivery=on_delivery)
        assert self.producer.flush(20) == 0 and not errors, errors
        return offsets

    def partitions(self, name):
        topic = self.topic(name)
        return sorted(self.consumer.list_topics(topic, 10).topics[topic].partitions)

    def count(self, name):
        """How many records a topic holds."""
        total = 0
        for p in self.partitions(name):
            low, high = self.consumer.get_watermark_offsets(TopicPartition(self.topic(name), p), 10)
            total += high - low
        return total

    def sent(self):
        return sum(self.count("tasks." + lane) for lane in LANES)

    def read(self, name):
        """All records of a topic, as messages."""
        topic, messages = self.topic(name), []
        wanted = self.count(name)
        self.consumer.assign([TopicPartition(topic, p, 0) for p in self.partitions(name)])
        end = time.monotonic() + 30
        while len(messages) < wanted and time.monotonic() < end:
            messages += [m for m in self.consumer.consume(1000, 0.5) if not m.error()]
        self.consumer.unassign()
        assert len(messages) == wanted
        return messages

    def committed(self, name):
        """{partition: committed offset}; negative: none."""
        topic = self.topic(name)
        asked = [TopicPartition(topic, p) for p in self.partitions(name)]
        consumer = self.consumers.get(name.removeprefix("tasks."), self.consumer)
        return {t.partition: t.offset for t in consumer.committed(asked, 10)}

    def lag(self):
        """Records of the lanes that are behind no committed offset."""
        return self.sent() - sum(o for lane in LANES for o in self.committed("tasks." + lane).values())

    def close(self):
        for consumer in self.consumers.values():
            consumer.close()
