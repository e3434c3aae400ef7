"""What every client in Python does here: it calls each tool, gives one call up, and prints what it found as a line of JSON."""

import asyncio
import json


async def examine(server, version, tools, call):
    """`call(name, arguments, on_progress)` is the text of the answer."""
    messages = [f"ünïcode ✓ {i}" for i in range(50)]
    answers = await asyncio.gather(*(call("echo", {"message": message}) for message in messages))
    progress = []

    async def on_progress(done, total, message):
        progress.append([int(done), int(total)])

    slow = await call("slow", {"seconds": 0.2}, on_progress)
    found = {
        "server": server,
        "version": version,
        "tools": tools,
        "right": sum(map(str.__eq__, answers, messages)),
        "slow": slow,
        "progress": progress,
        "gaveUp": await give_up(call),
    }
    print(json.dumps(found), flush=True)


async def give_up(call):
    """Whether a call that is given up ends on the server, too, within a second."""
    before = await call("cancellations", {})
    running = asyncio.create_task(call("slow", {"seconds": 60}))
    await asyncio.sleep(0.1)
    running.cancel()
    for _ in range(20):
        if await call("cancellations", {}) != before:
            return True
        await asyncio.sleep(0.05)
    return False
