// A client on the official Go SDK over coder/websocket. Arguments: the URL, then a token. It prints what it found, as a line of JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"mcp-websocket-client/test/interop/wire"
)

type object = map[string]any

func main() {
	ctx := context.Background()
	header := http.Header{"Authorization": {"Bearer " + os.Args[2]}}
	conn, _, err := websocket.Dial(ctx, os.Args[1], &websocket.DialOptions{HTTPHeader: header})
	check(err)
	// The SDK runs the handler beside the call, and may be late with the last report.
	reports := make(chan [2]float64, 100)
	client := mcp.NewClient(&mcp.Implementation{Name: "go-sdk-client", Version: "1.0.0"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, request *mcp.ProgressNotificationClientRequest) {
			reports <- [2]float64{request.Params.Progress, request.Params.Total}
		},
	})
	session, err := client.Connect(ctx, wire.Socket{Conn: conn}, nil)
	check(err)
	tools := []string{}
	for tool, err := range session.Tools(ctx, nil) {
		check(err)
		tools = append(tools, tool.Name)
	}
	right := echoes(ctx, session)
	slow := &mcp.CallToolParams{Name: "slow", Arguments: object{"seconds": 0.2}}
	slow.SetProgressToken("of-slow")
	answer := call(ctx, session, slow)
	progress := [][2]float64{}
	for report := range reports {
		progress = append(progress, report)
		if report[0] == report[1] {
			break
		}
	}
	found := session.InitializeResult()
	check(json.NewEncoder(os.Stdout).Encode(object{
		"server":   found.ServerInfo.Name,
		"version":  found.ProtocolVersion,
		"tools":    tools,
		"right":    right,
		"slow":     answer,
		"progress": progress,
		"gaveUp":   giveUp(ctx, session),
	}))
	check(session.Close())
}

func echoes(ctx context.Context, session *mcp.ClientSession) int64 {
	var right atomic.Int64
	var calls sync.WaitGroup
	for i := range 50 {
		calls.Add(1)
		go func() {
			defer calls.Done()
			message := fmt.Sprintf("ünïcode ✓ %d", i)
			if call(ctx, session, &mcp.CallToolParams{Name: "echo", Arguments: object{"message": message}}) == message {
				right.Add(1)
			}
		}()
	}
	calls.Wait()
	return right.Load()
}

// Gives a call up and waits until the server knows.
func giveUp(ctx context.Context, session *mcp.ClientSession) bool {
	count := func() string {
		return call(ctx, session, &mcp.CallToolParams{Name: "cancellations", Arguments: object{}})
	}
	before := count()
	cancellable, cancel := context.WithCancel(ctx)
	done := make(chan error)
	go func() {
		_, err := session.CallTool(cancellable, &mcp.CallToolParams{Name: "slow", Arguments: object{"seconds": 60}})
		done <- err
	}()
	time.Sleep(100 * time.Millisecond)
	cancel()
	gaveUp := <-done != nil
	for count() == before {
	}
	return gaveUp
}

func call(ctx context.Context, session *mcp.ClientSession, params *mcp.CallToolParams) string {
	result, err := session.CallTool(ctx, params)
	check(err)
	return result.Content[0].(*mcp.TextContent).Text
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
