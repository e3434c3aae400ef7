"""A small MCP server (2025-03-26) on `websockets`: 127.0.0.1, the port, then the subprotocols that it has."""

import asyncio
import json
import sys

from websockets.asyncio.server import serve

TOOLS = [{"name": name, "inputSchema": {"type": "object"}} for name in ("echo", "slow", "cancellations")]
cancellations = 0


def text(words):
    return {"content": [{"type": "text", "text": words}]}


async def accept(socket):
    running = {}

    async def send(message):
        await socket.send(json.dumps({"jsonrpc": "2.0", **message}))

    async def slow(seconds, token, steps=4):
        for step in range(steps):
            await asyncio.sleep(seconds / steps)
            if token is not None:
                params = {"progressToken": token, "progress": step + 1, "total": steps}
                await send({"method": "notifications/progress", "params": params})
        return text("done")

    async def call(params):
        arguments = params.get("arguments", {})
        if params["name"] == "slow":
            return await slow(arguments["seconds"], params.get("_meta", {}).get("progressToken"))
        return text(arguments["message"] if params["name"] == "echo" else str(cancellations))

    async def respond(id, method, params):
        if method == "initialize":
            info = {"name": "websockets-peer", "version": "1.0.0"}
            result = {"protocolVersion": "2025-03-26", "capabilities": {"tools": {}}, "serverInfo": info}
        elif method in ("ping", "tools/list"):
            result = {} if method == "ping" else {"tools": TOOLS}
        elif method == "tools/call":
            result = await call(params)
        else:
            return await send({"id": id, "error": {"code": -32601, "message": f"no method {method}"}})
        await send({"id": id, "result": result})

    async for frame in socket:
        message = json.loads(frame)
        id, method, params = message.get("id"), message.get("method"), message.get("params", {})
        if id is not None and method is not None:
            running[id] = asyncio.create_task(respond(id, method, params))
            running[id].add_done_callback(lambda _, id=id: running.pop(id))
        elif method == "notifications/cancelled" and params["requestId"] in running:
            global cancellations
            cancellations += 1
            running[params["requestId"]].cancel()


async def main():
    async with serve(accept, "127.0.0.1", int(sys.argv[1]), subprotocols=sys.argv[2:] or None) as server:
        await server.serve_forever()


asyncio.run(main())
