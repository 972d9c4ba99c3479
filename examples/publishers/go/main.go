// Publishes the odds of two matches and their goals with JetStream's acknowledgement.
//
//	go run . [turns]    one turn a second, until Ctrl-C without a number
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const turnsPerGoal = 5

var matches = []string{"match-1", "match-2"}

type odds struct {
	Home  float64 `json:"home"`
	Draw  float64 `json:"draw"`
	Away  float64 `json:"away"`
	Score string  `json:"score"`
}

type goal struct {
	Match string `json:"match"`
	Score string `json:"score"`
}

func main() {
	turns := math.MaxInt
	if len(os.Args) > 1 {
		var err error
		if turns, err = strconv.Atoi(os.Args[1]); err != nil {
			log.Fatalf("%q is no number of turns", os.Args[1])
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := publish(ctx, turns); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func publish(ctx context.Context, turns int) error {
	url := os.Getenv("NATS_URL")
	if url == "" {
		url = "nats://127.0.0.1:7703"
	}
	connection, err := nats.Connect(url, nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	defer connection.Close()
	js, err := jetstream.New(connection)
	if err != nil {
		return err
	}
	run := time.Now().UnixMilli() // goals of another run have other ids
	goals := map[string]*[2]int{"match-1": {}, "match-2": {}}
	kept := 0
	for turn := 1; turn <= turns; turn++ {
		if turn%turnsPerGoal == 0 {
			match := matches[rand.IntN(len(matches))]
			goals[match][rand.IntN(2)]++
			id := fmt.Sprintf("goal-%d-%d", run, turn)
			if err := keep(ctx, js, "weir.critical.odds", goal{match, score(goals[match])}, jetstream.WithMsgID(id)); err != nil {
				return err
			}
			kept++
		}
		for _, match := range matches {
			value := odds{price(), price(), price(), score(goals[match])}
			if err := keep(ctx, js, "weir.state.odds."+match, value); err != nil {
				return err
			}
			kept++
		}
		fmt.Printf("turn %d: %d messages kept\n", turn, kept)
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// keep sends until the stream has acknowledged. A stream keeps an id once within two minutes: sending again is safe.
func keep(ctx context.Context, js jetstream.JetStream, subject string, value any, options ...jetstream.PublishOpt) error {
	payload, err := json.Marshal(value)
	if err != nil {
		return err
	}
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		_, err := js.Publish(attempt, subject, payload, options...)
		cancel()
		if err == nil {
			return nil
		}
		log.Printf("%s: not acknowledged, sending again: %v", subject, err)
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
		return nil
	}
}

func score(goals *[2]int) string { return fmt.Sprintf("%d-%d", goals[0], goals[1]) }

func price() float64 { return math.Round((1.2+rand.Float64()*6.8)*100) / 100 }
