// Package wire carries messages of the official Go SDK, which has no WebSocket of its own, over coder/websocket.
package wire

import (
	"context"

	"github.com/coder/websocket"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Socket is both ends of the SDK's seam: a Transport that is connected already, and its Connection.
type Socket struct{ *websocket.Conn }

func (s Socket) Connect(context.Context) (mcp.Connection, error) { return s, nil }

func (s Socket) Read(ctx context.Context) (jsonrpc.Message, error) {
	_, text, err := s.Conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	return jsonrpc.DecodeMessage(text)
}

func (s Socket) Write(ctx context.Context, message jsonrpc.Message) error {
	text, err := jsonrpc.EncodeMessage(message)
	if err != nil {
		return err
	}
	return s.Conn.Write(ctx, websocket.MessageText, text)
}

func (s Socket) Close() error { return s.Conn.Close(websocket.StatusNormalClosure, "") }

func (s Socket) SessionID() string { return "" }
