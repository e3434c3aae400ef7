"""Messages of the official Python SDK 2, which has no WebSocket of its own, over anything that receives and sends text."""

from contextlib import asynccontextmanager

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter


@asynccontextmanager
async def streams(receive, send):
    """The pair of streams that the SDK's seam is made of. `receive` is an async iterator that ends with the connection."""
    incoming, to_read = anyio.create_memory_object_stream(0)
    to_write, outgoing = anyio.create_memory_object_stream(0)

    async def read():
        async with incoming:
            async for text in receive:
                await incoming.send(SessionMessage(jsonrpc_message_adapter.validate_json(text)))

    async def write():
        async for item in outgoing:
            await send(item.message.model_dump_json(by_alias=True, exclude_unset=True))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        tasks.start_soon(write)
        yield to_read, to_write
        tasks.cancel_scope.cancel()
