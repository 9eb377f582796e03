// An answer is rendered into a pooled buffer and kept in a cache, while the buffer goes back to the pool.
package main

import (
	"bytes"
	"fmt"
	"sync"
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

type answer struct {
	status int
	body   []byte
}

func render(name string, status int) *answer {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	b.WriteString("{\"name\":\"")
	b.WriteString(name) // want: refilled-buffer victim=body level=confirmed
	b.WriteString("\"}")
	return &answer{status, b.Bytes()}
}

func main() {
	cache := map[string]*answer{}
	for i, name := range []string{"alice", "trent", "carol"} {
		cache[name] = render(name, 200+i)
	}
	for _, name := range []string{"alice", "trent", "carol"} {
		a := cache[name]
		fmt.Printf("%d %s\n", a.status, a.body)
		if !bytes.Contains(a.body, []byte(name)) {
			fmt.Println("WRONG: somebody else's answer")
			return
		}
	}
	fmt.Println("OK")
}
