"""A client written from docs/protocol.md alone, on Python's `websockets`. Prints what it sees, a JSON object a line;
takes {"do":"subscribe"|"unsubscribe","channel":…}, {"do":"cut"} and {"do":"close"} on its standard input.

    WEIR_ROUTER=ws://… WEIR_CHANNELS=lobby,sports.42 [WEIR_TOKEN=…] [WEIR_CLASS=mobile] python3 stranger.py
"""

import asyncio
import json
import os
import random
import sys
import time
from dataclasses import dataclass
from urllib.parse import quote

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

HTTP_STOP = (400, 401, 403, 404, 405, 426)
STEP_S = 10


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


@dataclass
class End:
    stage: str  # where it ended: "router", "stream" (before the welcome) or "open"
    code: int
    lived_s: float = 0
    wait_s: float = 0  # Retry-After


async def redirect_of(socket):
    async for text in socket:
        message = json.loads(text)
        if message["type"] == "redirect":
            return message
    return None


class Client:
    def __init__(self, router, channels, token=None, pool=None):
        self.router, self.wanted, self.token, self.pool = router, set(channels), token, pool
        self.state, self.arriving, self.last_ids = {}, {}, {}  # each by channel
        self.position = self.hint = self.current = self.leading = self.moving = None
        self.holes = set()  # left, and without a whole snapshot since (section 6)
        self.failures, self.at_once_s = 0, -5.0
        self.closed = False

    # ── sections 9 and 10: ends, and coming back ────────────────────────────────────────────────────────────────

    async def run(self):
        while True:
            self.leading = asyncio.create_task(self.follow(self.router_url(), self.protocols()))
            end = await self.last_end()
            say("end", stage=end.stage, code=end.code)
            if self.closed or end.code == 1000 or 4500 <= end.code <= 4999:
                return
            if end.code in (4008, 4009) or (end.stage == "router" and end.code != 4013):
                self.hint = None
            await asyncio.sleep(max(self.delay_s(end), end.wait_s))

    async def last_end(self):
        """The end of the stream that counts, whichever took over meanwhile."""
        while True:
            task = self.leading
            end = await task
            if self.leading is not task:
                continue
            if self.moving is None:
                return end
            self.leading, self.moving = self.moving, None

    def delay_s(self, end):
        if end.lived_s >= 5:
            self.failures = 0
        if end.code in (4003, 4008, 4009) and time.monotonic() - self.at_once_s > 5:
            self.at_once_s = time.monotonic()
            return 0
        self.failures += 1
        if end.code == 4012 and self.failures == 1:
            return random.random() * 5
        if end.stage == "open" and end.code < 4000 and self.failures == 1:
            return random.random() * 8
        if end.stage == "stream" and end.code < 4000:
            return 3 + random.random() * 5
        return random.random() * min(30, 2**self.failures)

    # ── section 1: the router ───────────────────────────────────────────────────────────────────────────────────

    def router_url(self):
        url = f"{self.router}/v1/connect?channels={','.join(sorted(self.wanted))}"
        if self.pool:
            url += f"&class={quote(self.pool)}"
        return url + (f"&hint={self.hint}" if self.hint else "")

    def protocols(self):
        return ["weir.v1"] + ([f"weir.token.{self.token}"] if self.token else [])

    async def follow(self, url, protocols):
        """From the router to the end of the stream that it leads to."""
        redirect = None
        try:
            async with connect(url, subprotocols=protocols, open_timeout=STEP_S) as socket:
                redirect = await asyncio.wait_for(redirect_of(socket), STEP_S)
            code = socket.close_code
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            wait_s = int(refusal.response.headers.get("Retry-After", 0))
            return self.failed(End("router", 4500 if status in HTTP_STOP else 1006, wait_s=wait_s))
        except (OSError, WebSocketException, asyncio.TimeoutError) as error:
            code = error.rcvd.code if getattr(error, "rcvd", None) else 1006
        if redirect is None:
            return self.failed(End("router", code))
        say("redirect", pool=redirect["pool"], hint="hint" in redirect, hinted="&hint=" in url)
        self.hint = redirect.get("hint", self.hint)
        resume = self.position if not self.holes & self.wanted else None
        return await self.stream(redirect["url"] + (f"&resume={resume}" if resume else ""))

    def failed(self, end):
        """A move that failed: the old stream goes on."""
        if self.moving is asyncio.current_task():
            self.moving = None
            say("moveFailed", code=end.code)
        return end

    # ── sections 2 to 7: the stream ─────────────────────────────────────────────────────────────────────────────

    async def stream(self, url):
        stage, welcome_s, code, socket = "stream", time.monotonic(), 1006, None
        try:
            async with connect(url, subprotocols=["weir.v1"], open_timeout=STEP_S) as socket:
                async for text in socket:
                    message = json.loads(text)
                    if message["type"] == "welcome" and stage == "stream":
                        stage, welcome_s = "open", time.monotonic()
                        await self.adopt(socket, message)
                    elif socket is self.current:
                        self.take(message)
            code = socket.close_code
        except (OSError, WebSocketException, asyncio.TimeoutError) as error:
            code = error.rcvd.code if getattr(error, "rcvd", None) else 1006
        if socket is not None and socket is self.current:
            self.current = None
        return self.failed(End(stage, code, time.monotonic() - welcome_s if stage == "open" else 0))

    async def adopt(self, socket, welcome):
        old, self.current = self.current, socket
        self.leading, self.moving = asyncio.current_task(), None
        self.arriving.clear()
        say("welcome", shard=welcome["shard"], pool=welcome["pool"], resumed=welcome["resumed"], moved=old is not None)
        served = set(welcome["channels"])
        for kind, channels in (("subscribe", self.wanted - served), ("unsubscribe", served - self.wanted)):
            if channels:
                await socket.send(json.dumps({"type": kind, "channels": sorted(channels)}))
        if old is not None:
            self.closing = asyncio.create_task(old.close(1000))

    def take(self, m):
        kind, channel = m["type"], m.get("channel")
        if kind == "position":
            self.position = m["pos"]
        elif kind == "move":
            if self.moving is None:
                say("move", reason=m["reason"])
                self.moving = asyncio.create_task(self.follow(m["url"], ["weir.v1"]))
        elif kind == "error":
            self.wanted.discard(channel)
            say("error", code=m["code"], channel=channel)
        elif channel not in self.wanted:
            return  # still under way when we left the channel, or of a later version
        elif kind == "state":
            self.take_state(channel, m)
        elif kind == "critical" and m["id"] > self.last_ids.get(channel, -1):
            self.last_ids[channel] = m["id"]
            say("critical", channel=channel, id=m["id"], data=m["data"])
        elif kind == "cosmetic":
            say("cosmetic", channel=channel, data=m["data"])
        elif kind == "gap":
            if m.get("reset"):
                self.last_ids.pop(channel, None)
            say("gap", channel=channel, after=m["after"], reset=m.get("reset", False))

    def take_state(self, channel, m):
        values = self.arriving.pop(channel, {}) if m.get("snapshot") else self.state.setdefault(channel, {})
        values.update(m["set"])
        for key in m.get("del", ()):
            values.pop(key, None)
        if m.get("more"):
            self.arriving[channel] = values
            return
        self.state[channel] = values
        if m.get("snapshot"):
            self.holes.discard(channel)
        say("state", channel=channel, snapshot=m.get("snapshot", False), values=values)

    # ── what the application asks for ───────────────────────────────────────────────────────────────────────────

    async def do(self, what, channel):
        if what == "cut" and self.current is not None:
            self.current.transport.abort()
        elif what == "close":
            self.closed = True
            if self.current is not None:
                await self.current.close(1000)
        elif what in ("subscribe", "unsubscribe"):
            if what == "subscribe":
                self.wanted.add(channel)
            else:
                self.wanted.discard(channel)
                self.holes.add(channel)
                for kept in (self.state, self.arriving, self.last_ids):
                    kept.pop(channel, None)
            if self.current is not None:
                await self.current.send(json.dumps({"type": what, "channels": [channel]}))


async def main():
    env = os.environ
    client = Client(env["WEIR_ROUTER"], env["WEIR_CHANNELS"].split(","), env.get("WEIR_TOKEN"), env.get("WEIR_CLASS"))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def listen():
        async for line in reader:
            asked = json.loads(line)
            await client.do(asked["do"], asked.get("channel"))

    listening = asyncio.create_task(listen())
    await client.run()
    listening.cancel()


asyncio.run(main())
