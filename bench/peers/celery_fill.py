"""Queues every task of a batch file: celery_fill.py INPUT"""
import json
import sys

from celery_app import app, complete

with open(sys.argv[1], encoding="utf-8") as lines, app.producer_pool.acquire() as producer:
    for line in lines:
        complete.apply_async((json.dumps(json.loads(line)["body"]),), producer=producer)
