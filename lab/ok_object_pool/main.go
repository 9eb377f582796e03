// Requests come from a free list, are filled, handled and given back: their slices keep their arrays, and nobody looks at a
// request that was given back.
package main

import (
	"fmt"
	"strings"
)

type request struct {
	path   string
	params []string
	body   []byte
}

type requests struct{ free []*request }

func (r *requests) get() *request {
	if n := len(r.free); n > 0 {
		req := r.free[n-1]
		r.free = r.free[:n-1]
		return req
	}
	return &request{}
}

func (r *requests) put(req *request) {
	req.params = req.params[:0]
	req.body = req.body[:0]
	r.free = append(r.free, req)
}

func handle(req *request, n int) int {
	for i := 0; i < n%4+1; i++ {
		req.params = append(req.params, fmt.Sprintf("p%d=%d", i, n))
	}
	req.body = append(req.body, strings.Join(req.params, "&")...)
	return len(req.body)
}

func main() {
	pool := &requests{}
	total := 0
	for n := 0; n < 200; n++ {
		a, b := pool.get(), pool.get()
		total += handle(a, n) + handle(b, n+1)
		if !strings.HasPrefix(string(a.body), fmt.Sprintf("p0=%d", n)) || !strings.HasPrefix(b.params[0], fmt.Sprintf("p0=%d", n+1)) {
			fmt.Println("WRONG:", string(a.body))
			return
		}
		pool.put(b)
		pool.put(a)
	}
	fmt.Println(total)
	fmt.Println("OK")
}
