// A Go worker as one would write it: franz-go, a goroutine for each task up to a limit, net/http,
// results by COPY, offsets committed after them. No retries, limits, deduplication or costs.
//
//	peer BROKERS TOPIC DATABASE_URL URL IN_FLIGHT COUNT
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"
)

const batchMax = 500

type task struct {
	JobID    string          `json:"job_id"`
	CustomID string          `json:"custom_id"`
	Body     json.RawMessage `json:"body"`
}

type answer struct {
	Usage struct {
		Prompt     int64 `json:"prompt_tokens"`
		Completion int64 `json:"completion_tokens"`
	} `json:"usage"`
}

type result struct {
	task
	body   string
	answer answer
	record *kgo.Record
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func call(client *http.Client, url string, r *kgo.Record) result {
	out := result{record: r}
	must(json.Unmarshal(r.Value, &out.task))
	request, err := http.NewRequest("POST", url, bytes.NewReader(out.Body))
	must(err)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	must(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(err)
	must(json.Unmarshal(body, &out.answer))
	out.body = string(body)
	return out
}

// Writes what has come, up to a batch, then commits the offsets.
func store(results <-chan result, db *pgx.Conn, client *kgo.Client, count int, done chan<- bool) {
	columns := []string{"job_id", "custom_id", "response", "input_tokens", "output_tokens"}
	for written := 0; written < count; {
		rows := [][]any{}
		records := []*kgo.Record{}
		add := func(r result) {
			rows = append(rows, []any{r.JobID, r.CustomID, r.body, r.answer.Usage.Prompt, r.answer.Usage.Completion})
			records = append(records, r.record)
		}
		add(<-results)
		for more := true; more && len(rows) < batchMax; {
			select {
			case r := <-results:
				add(r)
			case <-time.After(5 * time.Millisecond):
				more = false
			}
		}
		_, err := db.CopyFrom(context.Background(), pgx.Identifier{"peer"}, columns, pgx.CopyFromRows(rows))
		must(err)
		client.MarkCommitRecords(records...)
		written += len(rows)
	}
	done <- true
}

func main() {
	brokers, topic, database, url := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	inFlight, err := strconv.Atoi(os.Args[5])
	must(err)
	count, err := strconv.Atoi(os.Args[6])
	must(err)
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.ConsumerGroup("go-peer"), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.AutoCommitMarks())
	must(err)
	db, err := pgx.Connect(context.Background(), database)
	must(err)
	_, err = db.Exec(context.Background(), "CREATE TABLE peer (job_id text, custom_id text, response text, "+
		"input_tokens bigint, output_tokens bigint, PRIMARY KEY (job_id, custom_id))")
	must(err)
	transport := &http.Transport{MaxIdleConns: inFlight, MaxIdleConnsPerHost: inFlight, MaxConnsPerHost: inFlight}
	web := &http.Client{Transport: transport, Timeout: 600 * time.Second}
	results, done, slots := make(chan result, inFlight), make(chan bool), make(chan bool, inFlight)
	go store(results, db, client, count, done)
	go func() {
		for {
			client.PollFetches(context.Background()).EachRecord(func(r *kgo.Record) {
				slots <- true
				go func() {
					results <- call(web, url, r)
					<-slots
				}()
			})
		}
	}()
	<-done
	client.Close()
}
