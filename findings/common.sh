# Sourced by every finding: a temporary folder, pinned packages in it, a nats-server on a free port.
set -euo pipefail
finding_dir=$(mktemp -d)
cleanup() {
  [ -z "${nats_pid:-}" ] || kill "$nats_pid" 2>/dev/null || true
  [ -z "${nats_pid:-}" ] || wait "$nats_pid" 2>/dev/null || true
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
