// A server on GoMCP, as its README makes one. It listens on the address that is its only argument, at /ws.
package main

import (
	"os"
	"time"

	"github.com/localrivet/gomcp/server"
)

type echoArgs struct {
	Message string `json:"message"`
}

type slowArgs struct {
	Seconds float64 `json:"seconds"`
}

func main() {
	s := server.NewServer("gomcp-peer").AsWebsocket(os.Args[1])
	s.Tool("echo", "Says it again", func(_ *server.Context, args echoArgs) (string, error) {
		return args.Message, nil
	})
	s.Tool("slow", "Takes its time", func(_ *server.Context, args slowArgs) (string, error) {
		time.Sleep(time.Duration(args.Seconds * float64(time.Second)))
		return "done", nil
	})
	if err := s.Run(); err != nil {
		panic(err)
	}
}
