#!/usr/bin/env bash
# wasmcloud-secrets-types 0.8.0 (crate), serde_json 1.0.
# A reference to one field of a secret is written as JSON and read again.
# Expected: the same reference, since the type implements both Serialize and Deserialize by hand and
# compares as equal by all its members.
# Seen: `field` is read but never written, so the reference then means the whole secret. (The other
# way out of the type, into a map of strings, keeps it; hosts use that one.)
# In the product: `manifest check` and the request both read `field`; nothing goes through that JSON.
. "$(dirname "$0")/common.sh"
seen=$(run_rust 'wasmcloud-secrets-types = "=0.8.0"' 'serde_json = "1"' <<'RUST'
use std::collections::HashMap;
use wasmcloud_secrets_types::SecretConfig;

fn main() {
    let written = SecretConfig::new(
        "password".into(), "backend".into(), "database".into(),
        Some("password".into()), Some("3".into()), HashMap::new(),
    );
    let text = serde_json::to_string(&written).unwrap();
    let read: SecretConfig = serde_json::from_str(&text).unwrap();
    println!("equal {}, version {:?}, field {:?}", read == written, read.version, read.field);
}
RUST
)
verdict 'equal true, version Some("3"), field Some("password")' \
  'equal false, version Some("3"), field None' "$seen"
