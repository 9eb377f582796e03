// encoding/json in a loop, marshalling and unmarshalling into the same value; nothing of an earlier
// round is kept.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
)

type order struct {
	ID    int
	Tags  []string
	Lines []struct{ Article, Count int }
	Extra json.RawMessage
}

func main() {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	var back order
	sum := 0
	for i := 0; i < 100; i++ {
		buf.Reset()
		o := order{ID: i, Tags: []string{"a", fmt.Sprint(i)}, Extra: json.RawMessage(fmt.Sprintf(`{"n":%d}`, 100+i))}
		o.Lines = append(o.Lines, struct{ Article, Count int }{i, 1}, struct{ Article, Count int }{i + 1, 2})
		if err := enc.Encode(&o); err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		if err := json.Unmarshal(buf.Bytes(), &back); err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		sum += back.Lines[1].Article + len(back.Tags[1]) + len(back.Extra)
	}
	if sum != 6140 || string(back.Extra) != `{"n":199}` {
		fmt.Println("WRONG:", sum, string(back.Extra))
		return
	}
	fmt.Println("OK")
}
