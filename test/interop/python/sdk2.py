"""The MCP server, on the official Python SDK 2, of the programs beside this one."""

import asyncio

from mcp.server.lowlevel import Server
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool

from wire import streams

cancellations = 0


async def list_tools(context, params):
    return ListToolsResult(tools=[Tool(name=name, input_schema={"type": "object"}) for name in ("echo", "slow", "cancellations")])


async def call_tool(context, params):
    text = str(cancellations)
    if params.name == "echo":
        text = params.arguments["message"]
    elif params.name == "slow":
        text = await slow(context, params.arguments["seconds"])
    return CallToolResult(content=[TextContent(text=text)])


async def slow(context, seconds, steps=4):
    global cancellations
    try:
        for step in range(steps):
            await asyncio.sleep(seconds / steps)
            await context.session.report_progress(step + 1, steps)
    except asyncio.CancelledError:
        cancellations += 1
        raise
    return "done"


async def serve(name, receive, send):
    """Serves one connection until it ends."""
    server = Server(name, version="1.0.0", on_list_tools=list_tools, on_call_tool=call_tool)
    async with streams(receive, send) as (to_read, to_write):
        await server.run(to_read, to_write, server.create_initialization_options())
