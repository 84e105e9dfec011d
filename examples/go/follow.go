// Follows the lines of a run, from the first one to its end: go -C examples/go run . <run id>
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

type line struct {
	Container string `json:"container"`
	ID        string `json:"id"`
	Text      string `json:"text"`
	Part      int    `json:"part"`
	Last      bool   `json:"last"`
}

// A batch has lines; the last message has an end instead.
type batch struct {
	Attempt int    `json:"attempt"`
	Lines   []line `json:"lines"`
	End     *struct {
		Complete bool `json:"complete"`
	} `json:"end"`
}

// A long line comes in pieces, and other lines may stand between them.
type pieces map[string]string

// The text of a whole line; false while pieces of it are missing.
func (held pieces) textOf(attempt int, l line) (string, bool) {
	if l.Part == 0 {
		return l.Text, true
	}
	key := fmt.Sprintf("%d %s %s", attempt, l.Container, l.ID)
	soFar := held[key] + l.Text
	if l.Last {
		delete(held, key)
	} else {
		held[key] = soFar
	}
	return soFar, l.Last
}

func follow(ctx context.Context, url, runID string) error {
	nc, err := nats.Connect(url, nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	logs, err := js.OrderedConsumer(ctx, "FLEET_LOGS", jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"logs." + runID},
	})
	if err != nil {
		return err
	}
	messages, err := logs.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	held := pieces{}
	for {
		message, err := messages.Next()
		if err != nil {
			return err
		}
		var b batch
		if err := json.Unmarshal(message.Data(), &b); err != nil {
			return err
		}
		for _, l := range b.Lines {
			if text, whole := held.textOf(b.Attempt, l); whole {
				fmt.Println(text)
			}
		}
		if b.End != nil {
			for _, text := range held {
				fmt.Println(text)
			}
			if !b.End.Complete {
				fmt.Fprintln(os.Stderr, "the last lines may be missing")
			}
			return nil
		}
	}
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("Say which run: go -C examples/go run . <run id>")
	}
	url := os.Getenv("NATS_URL")
	if url == "" {
		url = nats.DefaultURL
	}
	if err := follow(context.Background(), url, os.Args[1]); err != nil {
		log.Fatal(err)
	}
}
