// Messages of a stream, the raw part of each decoded before the next one.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type envelope struct {
	Kind string
	Body json.RawMessage
}

func main() {
	from, to, err := os.Pipe()
	if err != nil {
		fmt.Println("WRONG:", err)
		return
	}
	go func() {
		e := json.NewEncoder(to)
		for i := 0; i < 400; i++ {
			body, _ := json.Marshal(map[string]int{"value": i})
			e.Encode(envelope{[]string{"add", "sub"}[i%2], body})
		}
		to.Close()
	}()
	d := json.NewDecoder(from)
	total := 0
	var kinds []string
	for {
		var e envelope
		if d.Decode(&e) != nil {
			break
		}
		var body struct{ Value int }
		json.Unmarshal(e.Body, &body)
		if e.Kind == "add" {
			total += body.Value
		} else {
			total -= body.Value
		}
		kinds = append(kinds, e.Kind)
	}
	if total != -200 || len(kinds) != 400 || kinds[2] != "add" {
		fmt.Println("WRONG:", total, len(kinds))
		return
	}
	fmt.Println("OK")
}
