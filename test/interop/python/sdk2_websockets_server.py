"""A server on the official Python SDK 2 over `websockets`: 127.0.0.1, the port is the only argument."""

import asyncio
import sys

from sdk2 import serve as serve_mcp
from websockets.asyncio.server import serve


async def main():
    async with serve(lambda socket: serve_mcp("python-sdk2-peer", socket, socket.send), "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()


asyncio.run(main())
