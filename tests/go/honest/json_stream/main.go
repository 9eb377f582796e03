// A stream of documents through Decoder, Encoder, Indent and Compact, with raw messages that are kept.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

type message struct {
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`
	At   json.Number     `json:"at,omitempty"`
}

type move struct{ To, From, By string }
type say struct {
	Words []string
	Loud  bool
}

func main() {
	var in strings.Builder
	for i := 0; i < 12; i++ {
		fmt.Fprintf(&in, "{\"kind\":\"move\",\"body\":{\"From\":\"f%d\",\"To\":\"t%d\"},\"at\":%d}\n", i, i*i, i*1000)
		fmt.Fprintf(&in, "{\"kind\":\"say\",\"body\":{\"Words\":[\"w%d\",\"v\"],\"Loud\":%v}} ", i, i%3 == 0)
	}
	d := json.NewDecoder(strings.NewReader(in.String()))
	d.UseNumber()
	var kept []message
	for {
		var m message
		if err := d.Decode(&m); err == io.EOF {
			break
		} else if err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		kept = append(kept, m)
	}
	var out, pretty, tight bytes.Buffer
	e := json.NewEncoder(&out)
	for _, m := range kept {
		var body any = &say{}
		if m.Kind == "move" {
			body = &move{}
		}
		if err := json.Unmarshal(m.Body, body); err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		if err := e.Encode(map[string]any{"z": body, "a": m.At, "kind": m.Kind}); err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		pretty.Reset()
		tight.Reset()
		_ = json.Indent(&pretty, m.Body, "", "  ")
		_ = json.Compact(&tight, pretty.Bytes())
		fmt.Println(pretty.Len(), tight.Len(), string(m.Body))
	}
	fmt.Print(out.String())
}
