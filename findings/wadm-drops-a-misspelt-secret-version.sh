#!/usr/bin/env bash
# wadm-types 0.8.3 (crate), serde_json 1.0.
# A manifest's secret has `verison: "4"` instead of `version: "4"`.
# Expected: refused, as an unknown member is one level up, in the component's properties.
# Seen: accepted without a word, and the latest version is meant from then on.
# In the product: `wasmcloud-secrets manifest check` names the member with its line.
. "$(dirname "$0")/common.sh"
seen=$(run_rust 'wadm-types = "=0.8.3"' 'serde_json = "1"' <<'RUST'
use wadm_types::ComponentProperties;

fn read(component: &str, secret: &str) -> String {
    let text = format!(
        r#"{{"image": "file:///c.wasm"{component}, "secrets": [{{"name": "password",
             "properties": {{"policy": "vault", "key": "database"{secret}}}}}]}}"#);
    match serde_json::from_str::<ComponentProperties>(&text) {
        Err(_) => "refused".into(),
        Ok(read) => format!("accepted with version {:?}", read.secrets[0].properties.version),
    }
}

fn main() {
    println!("component: {}; secret: {}",
        read(r#", "imgae": "x""#, ""), read("", r#", "verison": "4""#));
}
RUST
)
verdict 'component: refused; secret: refused' \
  'component: refused; secret: accepted with version None' "$seen"
