#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""websocket.py serve PORT [CERT KEY] | speak URL MESSAGES SIZE DEFLATE SEED: a server that answers and talks by itself,
and one who speaks with it."""
import asyncio
import pathlib
import random
import ssl
import sys

import websockets

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from core.words import Words  # noqa: E402


async def answer(connection, _path=None):
    async for message in connection:
        await connection.send(f'{{"ok":true,"length":{len(message)},"text":"{message[:200]}"}}')
        if len(message) % 3 == 0:
            await asyncio.sleep(0.05)
            await connection.send('{"event":"update"}')


async def serve(port, files):
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    async with websockets.serve(answer, None, port, ssl=context):
        await asyncio.Future()


async def speak(url, count, size, deflate, seed):
    rng = random.Random(seed)
    words = Words(rng)
    context = None
    if url.startswith("wss"):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with websockets.connect(url, ssl=context, compression="deflate" if deflate == "yes" else None) as connection:
        for _ in range(count):
            await connection.send(words.text(rng.randint(1, size)))
            await connection.recv()
            await asyncio.sleep(min(1, rng.expovariate(8)))
        if rng.random() < 0.5:
            await (await connection.ping())


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(int(sys.argv[2]), sys.argv[3:]))
    else:
        asyncio.run(speak(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], int(sys.argv[6])))
