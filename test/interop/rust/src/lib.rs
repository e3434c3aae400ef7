//! Messages of rmcp, the official Rust SDK, which has no WebSocket of its own, over tokio-tungstenite.

use std::future::ready;

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use rmcp::service::{RxJsonRpcMessage, ServiceRole, TxJsonRpcMessage};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

/// The pair of a sink and a stream that rmcp takes for a transport.
pub fn transport<R: ServiceRole, S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    socket: WebSocketStream<S>,
) -> (
    impl Sink<TxJsonRpcMessage<R>, Error = Error> + Send + Unpin + 'static,
    impl Stream<Item = RxJsonRpcMessage<R>> + Send + Unpin + 'static,
) {
    let (sink, stream) = socket.split();
    let sink = sink.with(|message: TxJsonRpcMessage<R>| {
        ready(Ok(Message::text(serde_json::to_string(&message).expect("a message is JSON"))))
    });
    let stream = stream
        .take_while(|frame| ready(frame.is_ok()))
        .filter_map(|frame| ready(frame.ok().and_then(|frame| serde_json::from_str(frame.to_text().ok()?).ok())));
    (sink, stream)
}
