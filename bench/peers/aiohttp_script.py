"""What many write first: asyncio and aiohttp, a bounded number of calls, a line of JSON for each.
As its documentation advises: one session, a connector as wide as the calls in flight, uvloop.

    aiohttp_script.py URL INPUT OUTPUT IN_FLIGHT"""
import asyncio
import json
import sys

import aiohttp
import uvloop

RETRIES = 3


async def call(session, url, body):
    for attempt in range(RETRIES):
        try:
            async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
                if answer.status == 200:
                    return await answer.json()
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(2 ** attempt)
    return None


async def work(session, url, lines, out):
    for line in lines:
        task = json.loads(line)
        answer = await call(session, url, json.dumps(task["body"]))
        usage = (answer or {}).get("usage", {})
        out.write(json.dumps({"custom_id": task["custom_id"], "response": answer,
                              "tokens": usage.get("total_tokens")}) + "\n")


async def main(url, source, target, in_flight):
    connector = aiohttp.TCPConnector(limit=in_flight)
    timeout = aiohttp.ClientTimeout(total=600)
    with open(source, encoding="utf-8") as lines, open(target, "w", encoding="utf-8") as out:
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            await asyncio.gather(*(work(session, url, lines, out) for _ in range(in_flight)))


uvloop.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
