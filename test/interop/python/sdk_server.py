"""A server on the official Python SDK 1.x, as its README makes one: 127.0.0.1, the port is the only argument, path /ws."""

import asyncio
import sys

import uvicorn
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.websocket import websocket_server
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

server = Server("python-sdk-peer", version="1.0.0")
cancellations = 0


@server.list_tools()
async def list_tools():
    schema = {"type": "object"}
    return [types.Tool(name=name, inputSchema=schema) for name in ("echo", "slow", "cancellations")]


@server.call_tool()
async def call_tool(name, arguments):
    text = str(cancellations)
    if name == "echo":
        text = arguments["message"]
    elif name == "slow":
        text = await slow(arguments["seconds"])
    return [types.TextContent(type="text", text=text)]


async def slow(seconds, steps=4):
    global cancellations
    context = server.request_context
    token = context.meta.progressToken if context.meta else None
    try:
        for step in range(steps):
            await asyncio.sleep(seconds / steps)
            if token is not None:
                await context.session.send_progress_notification(token, step + 1, steps)
    except asyncio.CancelledError:
        cancellations += 1
        raise
    return "done"


async def accept(websocket):
    async with websocket_server(websocket.scope, websocket.receive, websocket.send) as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


app = Starlette(routes=[WebSocketRoute("/ws", accept)])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
