// A small MCP server (2025-06-18) on coder/websocket. Its first argument is the address to listen on, the others are the
// subprotocols that it has. The path is /ws.
package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

type object = map[string]any

type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      string          `json:"name"`
		RequestID json.RawMessage `json:"requestId"`
		Arguments struct {
			Message string  `json:"message"`
			Seconds float64 `json:"seconds"`
		} `json:"arguments"`
		Meta struct {
			ProgressToken any `json:"progressToken"`
		} `json:"_meta"`
	} `json:"params"`
}

// One connection: every request runs in a goroutine of its own, and can be cancelled by its id.
type peer struct {
	conn    *websocket.Conn
	mu      sync.Mutex
	cancels map[string]context.CancelFunc
}

var cancellations atomic.Int64

func main() {
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: os.Args[2:]})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		(&peer{conn: conn, cancels: map[string]context.CancelFunc{}}).serve(r.Context())
	})
	panic(http.ListenAndServe(os.Args[1], nil))
}

func (p *peer) serve(ctx context.Context) {
	for {
		var m message
		if wsjson.Read(ctx, p.conn, &m) != nil {
			return
		}
		if m.Method == "notifications/cancelled" {
			p.mu.Lock()
			if cancel, running := p.cancels[string(m.Params.RequestID)]; running {
				cancellations.Add(1)
				cancel()
			}
			p.mu.Unlock()
		}
		if len(m.ID) > 0 {
			running, cancel := context.WithCancel(ctx)
			p.mu.Lock()
			p.cancels[string(m.ID)] = cancel
			p.mu.Unlock()
			go p.respond(running, m)
		}
	}
}

func (p *peer) respond(ctx context.Context, m message) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cancels[string(m.ID)]()
		delete(p.cancels, string(m.ID))
	}()
	result, failure := p.result(ctx, m)
	if ctx.Err() != nil {
		return
	}
	response := object{"jsonrpc": "2.0", "id": m.ID}
	if failure != nil {
		response["error"] = failure
	} else {
		response["result"] = result
	}
	wsjson.Write(ctx, p.conn, response)
}

func (p *peer) result(ctx context.Context, m message) (result object, failure object) {
	switch m.Method {
	case "initialize":
		return object{
			"protocolVersion": "2025-06-18",
			"capabilities":    object{"tools": object{}},
			"serverInfo":      object{"name": "coder-peer", "version": "1.0.0"},
		}, nil
	case "ping":
		return object{}, nil
	case "tools/list":
		tools := []object{}
		for _, name := range []string{"echo", "slow", "cancellations"} {
			tools = append(tools, object{"name": name, "inputSchema": object{"type": "object"}})
		}
		return object{"tools": tools}, nil
	case "tools/call":
		return p.call(ctx, m), nil
	}
	return nil, object{"code": -32601, "message": "Method not found: " + m.Method}
}

func (p *peer) call(ctx context.Context, m message) object {
	switch m.Params.Name {
	case "echo":
		return text(m.Params.Arguments.Message)
	case "cancellations":
		return text(strconv.FormatInt(cancellations.Load(), 10))
	}
	const steps = 4
	for step := 1; step <= steps; step++ {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Duration(m.Params.Arguments.Seconds * float64(time.Second) / steps)):
		}
		if token := m.Params.Meta.ProgressToken; token != nil {
			params := object{"progressToken": token, "progress": step, "total": steps}
			wsjson.Write(ctx, p.conn, object{"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
		}
	}
	return text("done")
}

func text(words string) object {
	return object{"content": []object{{"type": "text", "text": words}}}
}
