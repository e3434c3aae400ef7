"""A client on the official Python SDK 1.x, with the transport that it has. The URL is the only argument."""

import asyncio
import sys

from examine import examine
from mcp import ClientSession
from mcp.client.websocket import websocket_client


async def main():
    async with websocket_client(sys.argv[1]) as streams, ClientSession(*streams) as session:
        found = await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]

        async def call(name, arguments, on_progress=None):
            return (await session.call_tool(name, arguments, progress_callback=on_progress)).content[0].text

        await examine(found.serverInfo.name, found.protocolVersion, tools, call)


asyncio.run(main())
