// json.RawMessage reuses its bytes: a message that was kept from the first decode is overwritten by
// the second, with the same length.
// want-miss: the buffer is emptied and filled again; only a read seen by a watch could show it, and there are more candidates than debug registers
package main

import (
	"encoding/json"
	"fmt"
)

type envelope struct {
	Kind string
	Body json.RawMessage // want: ghost-write func=encoding/json*.UnmarshalJSON victim=body|Body before-hex=31|5b31 after-hex=32|5b32
}

type event struct {
	kind string
	body json.RawMessage
}

func main() {
	inputs := []string{`{"Kind":"one","Body":[1,1,1]}`, `{"Kind":"two","Body":[2,2,2]}`}
	var events []*event
	var e envelope
	for _, in := range inputs {
		if err := json.Unmarshal([]byte(in), &e); err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		events = append(events, &event{e.Kind, e.Body})
	}
	for _, ev := range events {
		fmt.Printf("%s %s\n", ev.kind, ev.body)
	}
	if got := string(events[0].body); got != "[1,1,1]" {
		fmt.Println("WRONG: the first event is", got)
		return
	}
	fmt.Println("OK")
}
