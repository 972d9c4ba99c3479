"""Publishes the odds of two matches and their goals with JetStream's acknowledgement.

python publish.py [turns]    one turn a second, until Ctrl-C without a number
"""

import asyncio
import itertools
import json
import os
import random
import sys
import time

import nats

NATS_URL = os.environ.get("NATS_URL", "nats://127.0.0.1:7703")
MATCHES = ["match-1", "match-2"]
TURNS_PER_GOAL = 5


async def keep(js, subject, value, message_id=None):
    """Sends until the stream has acknowledged. A stream keeps an id once within two minutes: sending again is safe."""
    headers = {"Nats-Msg-Id": message_id} if message_id else None
    while True:
        try:
            return await js.publish(subject, json.dumps(value).encode(), timeout=5, headers=headers)
        except (nats.errors.Error, asyncio.TimeoutError) as error:
            print(f"{subject}: not acknowledged, sending again: {error!r}", file=sys.stderr)
            await asyncio.sleep(1)


async def main(turns):
    connection = await nats.connect(NATS_URL, max_reconnect_attempts=-1)
    js = connection.jetstream()
    run = int(time.time() * 1000)  # goals of another run have other ids
    goals = {match: [0, 0] for match in MATCHES}
    kept = 0
    for turn in itertools.count(1) if turns is None else range(1, turns + 1):
        if turn % TURNS_PER_GOAL == 0:
            match = random.choice(MATCHES)
            goals[match][random.randrange(2)] += 1
            goal = {"match": match, "score": "{}-{}".format(*goals[match])}
            await keep(js, "weir.critical.odds", goal, f"goal-{run}-{turn}")
            kept += 1
        for match in MATCHES:
            home, draw, away = (round(random.uniform(1.2, 8), 2) for _ in range(3))
            odds = {"home": home, "draw": draw, "away": away, "score": "{}-{}".format(*goals[match])}
            await keep(js, f"weir.state.odds.{match}", odds)
            kept += 1
        print(f"turn {turn}: {kept} messages kept", flush=True)
        await asyncio.sleep(1)
    await connection.close()


try:
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else None))
except KeyboardInterrupt:
    pass
