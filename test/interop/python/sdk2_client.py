"""A client on the official Python SDK 2 over `websockets`. Arguments: the URL, then a token."""

import asyncio
import sys
from contextlib import asynccontextmanager

from examine import examine
from mcp.client import Client
from websockets.asyncio.client import connect
from wire import streams


@asynccontextmanager
async def transport(url, token):
    async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket, streams(socket, socket.send) as pair:
        yield pair


async def main():
    async with Client(transport(*sys.argv[1:])) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]

        async def call(name, arguments, on_progress=None):
            return (await client.call_tool(name, arguments, progress_callback=on_progress)).content[0].text

        await examine(client.server_info.name, client.protocol_version, tools, call)


asyncio.run(main())
