// A ring of buffers: the oldest frame's buffer is emptied and takes the newest frame; the window only shows frames that
// are still there.
package main

import "fmt"

type ring struct {
	frames [4][]byte
	next   int
}

func (r *ring) push(text string) {
	r.frames[r.next%4] = append(r.frames[r.next%4][:0], text...)
	r.next++
}

func (r *ring) window() [][]byte {
	var w [][]byte
	for i := r.next - 4; i < r.next; i++ {
		if i >= 0 {
			w = append(w, r.frames[i%4])
		}
	}
	return w
}

func main() {
	r := &ring{}
	seen := 0
	for i := 0; i < 100; i++ {
		r.push(fmt.Sprintf("frame-%03d", i))
		for k, f := range r.window() {
			want := i - len(r.window()) + 1 + k
			if string(f) != fmt.Sprintf("frame-%03d", want) {
				fmt.Println("WRONG:", i, k, string(f))
				return
			}
			seen++
		}
	}
	fmt.Println(seen)
	fmt.Println("OK")
}
