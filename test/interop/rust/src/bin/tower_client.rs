//! A client on tower-mcp, with the WebSocket that it has. Arguments: the URL, then a token. It prints what it found, as a line of JSON.

use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tower_mcp::BoxError;
use tower_mcp::client::{
    McpClient, McpClientBuilder, NotificationHandler, WebSocketClientConfig, WebSocketClientTransport,
};

async fn call(client: &McpClient, name: &str, arguments: Value) -> String {
    let result = client.call_tool(name, arguments).await.expect("an answer");
    result.first_text().expect("text").to_owned()
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let [url, token]: [String; 2] = std::env::args().skip(1).collect::<Vec<_>>().try_into().expect("a URL and a token");
    let config = WebSocketClientConfig {
        protocol_version: Some("2025-11-25".to_owned()),
        bearer: Some(token),
        ..Default::default()
    };
    let transport = WebSocketClientTransport::connect_with_config(&url, config).await?;
    let progress = Arc::new(Mutex::new(Vec::new()));
    let heard = progress.clone();
    let handler = NotificationHandler::new().on_progress(move |report| heard.lock().unwrap().push((report.progress, report.total)));
    let client = McpClientBuilder::new().request_progress().connect(transport, handler).await?;
    let info = client.initialize("tower-client", "1.0.0").await?;
    let tools: Vec<_> = client.list_tools().await?.tools.into_iter().map(|tool| tool.name).collect();
    let messages: Vec<_> = (0..50).map(|i| format!("ünïcode ✓ {i}")).collect();
    let answers = join_all(messages.iter().map(|message| call(&client, "echo", json!({ "message": message })))).await;
    let right = answers.iter().zip(&messages).filter(|(answer, message)| answer == message).count();
    let slow = call(&client, "slow", json!({ "seconds": 0.2 })).await;
    let found = json!({
        "server": info.server_info.name,
        "version": info.protocol_version,
        "tools": tools,
        "right": right,
        "slow": slow,
        "progress": *progress.lock().unwrap(),
        // It has no way to give a call of a tool up.
        "gaveUp": false,
    });
    println!("{found}");
    Ok(())
}
