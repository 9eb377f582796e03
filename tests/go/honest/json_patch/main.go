// Documents through JSON and back, changed a little in between.
package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

type Base struct {
	Zed  int `json:"zed"`
	Beta string
}
type Doc struct {
	Base
	Omega []Base `json:"omega,omitempty"`
	Alpha map[string]*Base
	Raw   json.RawMessage
	Mid   *Base
}

func main() {
	d := Doc{Base: Base{1, "b"}, Omega: []Base{{2, "c"}, {3, "d"}}, Alpha: map[string]*Base{"y": {4, "e"}, "x": nil}, Raw: json.RawMessage(`{"k":[1,2]}`)}
	n := 0
	for i := 0; i < 25; i++ {
		b, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			panic(err)
		}
		var e Doc
		if err := json.Unmarshal(b, &e); err != nil {
			panic(err)
		}
		e.Omega = append(e.Omega, Base{i, "n"})
		e.Raw = json.RawMessage(strings.Replace(string(e.Raw), "1", "9", 1))
		n += len(b)
		d = e
	}
	b, _ := json.Marshal(d)
	fmt.Println(n, string(b[:80]))
}
