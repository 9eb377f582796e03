// Decodes into structs, maps and slices that are used again and again: the decoder appends to what it is given.
package main

import (
	"encoding/json"
	"fmt"
)

type point struct {
	Y, X float64
	Tags []string
}

type shape struct {
	Points []point        `json:"points"`
	Name   string         `json:"name"`
	More   map[string]any `json:"more"`
	Border *struct {
		Width int
		Color [3]uint8
	} `json:"border"`
	Any []any `json:"any"`
}

func main() {
	texts := []string{
		`{"points":[{"X":1,"Y":2,"Tags":["a","b"]},{"X":3,"Y":4}],"name":"line","any":[1,"x",null,[true]]}`,
		`{"points":[{"Y":5,"Tags":["c"]}],"more":{"k":{"z":1,"a":[1,2,3]}},"border":{"Width":2,"Color":[1,2,3]}}`,
		`{"name":"none","points":[],"any":[{"q":[]},2.5]}`,
	}
	var reused shape
	for round := 0; round < 4; round++ {
		for _, text := range texts {
			var fresh shape
			err1 := json.Unmarshal([]byte(text), &reused)
			err2 := json.Unmarshal([]byte(text), &fresh)
			a, _ := json.Marshal(reused)
			b, _ := json.MarshalIndent(fresh, "", " ")
			fmt.Println(string(a), len(b), err1, err2)
		}
	}
}
