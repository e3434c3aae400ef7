//! A server on rmcp over tokio-tungstenite, as its example makes one. It listens on the address that is its only argument.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use peers::transport;
use rmcp::model::*;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use tokio::net::TcpListener;
use tokio::time::sleep;

#[derive(Clone, Default)]
struct Peer {
    cancellations: Arc<AtomicU32>,
}

impl ServerHandler for Peer {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("rmcp-peer", "1.0.0"))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema: JsonObject = serde_json::from_str(r#"{"type":"object"}"#).unwrap();
        let tools = ["echo", "slow", "cancellations"];
        let tools = tools.map(|name| Tool::new_with_raw(name, None, schema.clone()));
        Ok(ListToolsResult::with_all_items(tools.to_vec()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let given = request.arguments.unwrap_or_default();
        let text = match request.name.as_ref() {
            "echo" => given["message"].as_str().unwrap_or_default().to_owned(),
            "slow" => self.slow(given["seconds"].as_f64().unwrap_or_default(), context).await?,
            "cancellations" => self.cancellations.load(Ordering::SeqCst).to_string(),
            _ => return Err(ErrorData::invalid_params("no such tool", None)),
        };
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }
}

impl Peer {
    async fn slow(&self, seconds: f64, context: RequestContext<RoleServer>) -> Result<String, ErrorData> {
        for step in 1..=4 {
            tokio::select! {
                () = context.ct.cancelled() => {
                    self.cancellations.fetch_add(1, Ordering::SeqCst);
                    return Err(ErrorData::internal_error("cancelled", None));
                }
                () = sleep(Duration::from_secs_f64(seconds / 4.0)) => {}
            }
            if let Some(token) = context.meta.get_progress_token() {
                let progress = ProgressNotificationParam::new(token, f64::from(step)).with_total(4.0);
                let _ = context.peer.notify_progress(progress).await;
            }
        }
        Ok("done".to_owned())
    }
}

#[tokio::main]
async fn main() {
    let address = std::env::args().nth(1).expect("an address");
    let listener = TcpListener::bind(address).await.expect("a free port");
    let peer = Peer::default();
    while let Ok((stream, _)) = listener.accept().await {
        let peer = peer.clone();
        tokio::spawn(async move {
            let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
            if let Ok(service) = peer.serve(transport::<RoleServer, _>(socket)).await {
                let _ = service.waiting().await;
            }
        });
    }
}
