"""A server on the official Python SDK 2 in Starlette, which looks at the token: 127.0.0.1, the port, the token; path /ws."""

import sys

import uvicorn
from sdk2 import serve
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute


async def accept(websocket):
    if websocket.headers.get("authorization") != f"Bearer {sys.argv[2]}":
        # Before `accept` this is an HTTP status: 403.
        return await websocket.close(1008)
    await websocket.accept()
    await serve("starlette-peer", websocket.iter_text(), websocket.send_text)


app = Starlette(routes=[WebSocketRoute("/ws", accept)])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
