//! A server on tower-mcp, with the WebSocket that it has, on axum. It listens on the address that is its only argument, at /ws.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use tower_mcp::extract::{Context, RawArgs};
use tower_mcp::transport::websocket::WebSocketTransport;
use tower_mcp::{BoxError, CallToolResult, Error, McpRouter, Tool, ToolBuilder};

static CANCELLATIONS: AtomicU32 = AtomicU32::new(0);

fn echo() -> Tool {
    ToolBuilder::new("echo")
        .input_schema(json!({ "type": "object" }))
        .extractor_handler((), |RawArgs(given): RawArgs| async move {
            Ok(CallToolResult::text(given["message"].as_str().unwrap_or_default()))
        })
        .build()
}

fn cancellations() -> Tool {
    ToolBuilder::new("cancellations")
        .input_schema(json!({ "type": "object" }))
        .extractor_handler((), |RawArgs(_): RawArgs| async move {
            Ok(CallToolResult::text(CANCELLATIONS.load(Ordering::SeqCst).to_string()))
        })
        .build()
}

fn slow() -> Tool {
    ToolBuilder::new("slow")
        .input_schema(json!({ "type": "object" }))
        .extractor_handler((), |context: Context, RawArgs(given): RawArgs| async move {
            let pause = Duration::from_secs_f64(given["seconds"].as_f64().unwrap_or_default() / 4.0);
            for step in 1..=4 {
                tokio::select! {
                    () = context.cancelled() => {
                        CANCELLATIONS.fetch_add(1, Ordering::SeqCst);
                        return Err(Error::tool("cancelled"));
                    }
                    () = sleep(pause) => {}
                }
                context.report_progress(f64::from(step), Some(4.0), None).await;
            }
            Ok(CallToolResult::text("done"))
        })
        .build()
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let address = std::env::args().nth(1).expect("an address");
    let router = McpRouter::new().server_info("tower-peer", "1.0.0").tool(echo()).tool(slow()).tool(cancellations());
    let app = WebSocketTransport::new(router).into_router_at("/ws");
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    Ok(())
}
