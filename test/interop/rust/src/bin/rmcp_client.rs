//! A client on rmcp over tokio-tungstenite. Arguments: the URL, then a token. It prints what it found, as a line of JSON.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use peers::transport;
use rmcp::model::*;
use rmcp::service::{NotificationContext, Peer, PeerRequestOptions, RoleClient};
use rmcp::{ClientHandler, ServiceExt};
use serde_json::json;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

#[derive(Clone, Default)]
struct Listener {
    progress: Arc<Mutex<Vec<(f64, Option<f64>)>>>,
}

impl ClientHandler for Listener {
    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.progress.lock().unwrap().push((params.progress, params.total));
    }
}

fn params(name: &'static str, arguments: serde_json::Value) -> CallToolRequestParams {
    CallToolRequestParams::new(name).with_arguments(arguments.as_object().unwrap().clone())
}

async fn call(peer: &Peer<RoleClient>, name: &'static str, arguments: serde_json::Value) -> String {
    let result = peer.call_tool(params(name, arguments)).await.expect("an answer");
    result.content[0].as_text().expect("text").text.clone()
}

/// Whether a call that is given up ends on the server, too.
async fn give_up(peer: &Peer<RoleClient>) -> bool {
    let before = call(peer, "cancellations", json!({})).await;
    let request = CallToolRequest::new(params("slow", json!({ "seconds": 60 })));
    let handle = peer
        .send_cancellable_request(ClientRequest::CallToolRequest(request), PeerRequestOptions::no_options())
        .await
        .expect("it is sent");
    sleep(Duration::from_millis(100)).await;
    handle.cancel(Some("enough".to_owned())).await.expect("it is sent");
    for _ in 0..20 {
        if call(peer, "cancellations", json!({})).await != before {
            return true;
        }
        sleep(Duration::from_millis(50)).await;
    }
    false
}

#[tokio::main]
async fn main() {
    let [url, token]: [String; 2] = std::env::args().skip(1).collect::<Vec<_>>().try_into().expect("a URL and a token");
    let mut request = url.into_client_request().expect("a URL");
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let (socket, _) = tokio_tungstenite::connect_async(request).await.expect("a connection");
    let listener = Listener::default();
    let service = listener.clone().serve(transport::<RoleClient, _>(socket)).await.expect("a session");
    let peer = service.peer();
    let info = peer.peer_info().expect("a server");
    let tools: Vec<_> = peer.list_all_tools().await.expect("tools").into_iter().map(|tool| tool.name).collect();
    let messages: Vec<_> = (0..50).map(|i| format!("ünïcode ✓ {i}")).collect();
    let answers = join_all(messages.iter().map(|message| call(peer, "echo", json!({ "message": message })))).await;
    let right = answers.iter().zip(&messages).filter(|(answer, message)| answer == message).count();
    let slow = call(peer, "slow", json!({ "seconds": 0.2 })).await;
    let gave_up = give_up(peer).await;
    let found = json!({
        "server": info.server_info.as_ref().map(|server| &server.name),
        "version": info.protocol_version,
        "tools": tools,
        "right": right,
        "slow": slow,
        "progress": *listener.progress.lock().unwrap(),
        "gaveUp": gave_up,
    });
    println!("{found}");
    let _ = service.cancel().await;
}
