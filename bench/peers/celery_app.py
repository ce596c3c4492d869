"""Celery with Redis, as its documentation advises for long tasks: late acknowledgement, a prefetch
of one; a session of requests for each process. QUERN_REDIS and QUERN_STUB name the servers."""
import os

import requests
from celery import Celery

app = Celery("peer", broker=os.environ["QUERN_REDIS"], backend=os.environ["QUERN_REDIS"])
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, task_ignore_result=False,
                broker_connection_retry_on_startup=True)
session = requests.Session()


@app.task(autoretry_for=(requests.RequestException,), retry_backoff=True, max_retries=3)
def complete(body):
    answer = session.post(os.environ["QUERN_STUB"], data=body, timeout=600,
                          headers={"Content-Type": "application/json"})
    answer.raise_for_status()
    return answer.json()
