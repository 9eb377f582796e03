// Marshals structs whose fields are not in the order of their names: encoding/json sorts them, drops hidden ones in place, and
// sorts them back, in one slice.
package main

import (
	"encoding/json"
	"fmt"
	"time"
)

type small struct {
	M int    `json:"m"`
	K int    `json:"k"`
	B string `json:"b"`
}

type large struct {
	Zeta, Yank, Alpha, Beta, Q int
	Inner                      small
}

func main() {
	for _, v := range []any{small{1, 2, "x"}, large{}, []small{{}, {}}, map[string]large{"x": {}}, time.Time{}} {
		s, err := json.Marshal(v)
		fmt.Println(string(s), err)
	}
}
