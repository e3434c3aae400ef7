// A server on the official Go SDK over coder/websocket. Its first argument is the address to listen on, the others are the
// subprotocols that it has. The path is /ws.
package main

import (
	"context"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"mcp-websocket-client/test/interop/wire"
)

type echoArgs struct {
	Message string `json:"message"`
}

type slowArgs struct {
	Seconds float64 `json:"seconds"`
}

var cancellations atomic.Int64

func main() {
	server := mcp.NewServer(&mcp.Implementation{Name: "go-sdk-peer", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "echo"}, func(_ context.Context, _ *mcp.CallToolRequest, args echoArgs) (*mcp.CallToolResult, any, error) {
		return text(args.Message), nil, nil
	})
	mcp.AddTool(server, &mcp.Tool{Name: "slow"}, slow)
	mcp.AddTool(server, &mcp.Tool{Name: "cancellations"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		return text(strconv.FormatInt(cancellations.Load(), 10)), nil, nil
	})
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: os.Args[2:]})
		if err == nil {
			server.Run(r.Context(), wire.Socket{Conn: conn})
		}
	})
	panic(http.ListenAndServe(os.Args[1], nil))
}

func slow(ctx context.Context, request *mcp.CallToolRequest, args slowArgs) (*mcp.CallToolResult, any, error) {
	const steps = 4
	for step := 1; step <= steps; step++ {
		select {
		case <-ctx.Done():
			cancellations.Add(1)
			return nil, nil, ctx.Err()
		case <-time.After(time.Duration(args.Seconds * float64(time.Second) / steps)):
		}
		if token := request.Params.GetProgressToken(); token != nil {
			request.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Progress: float64(step), Total: steps})
		}
	}
	return text("done"), nil, nil
}

func text(words string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: words}}}
}
