"""A client on FastMCP, which has no WebSocket any more, with a transport of ours over `websockets`. Arguments: the URL, a token."""

import asyncio
import sys
from contextlib import asynccontextmanager

from examine import examine
from fastmcp import Client
from fastmcp.client.transports.base import ClientTransport, TransportOptions
from websockets.asyncio.client import connect
from wire import streams


class WebSocketTransport(ClientTransport):
    def __init__(self, url, token):
        self.url = url
        self.token = token

    @asynccontextmanager
    async def connect_session(self, *, transport_options=None, **options):
        headers = {"Authorization": f"Bearer {self.token}"}
        session_class = (transport_options or TransportOptions()).session_class
        async with (
            connect(self.url, additional_headers=headers) as socket,
            streams(socket, socket.send) as pair,
            session_class(*pair, **options) as session,
        ):
            yield session


async def main():
    async with Client(WebSocketTransport(*sys.argv[1:])) as client:
        tools = [tool.name for tool in await client.list_tools()]

        async def call(name, arguments, on_progress=None):
            return (await client.call_tool(name, arguments, progress_handler=on_progress)).content[0].text

        session = client.session
        await examine(session.server_info.name, session.protocol_version, tools, call)


asyncio.run(main())
