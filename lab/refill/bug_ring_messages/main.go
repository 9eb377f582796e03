// A reader of frames hands out slices of the one buffer that it copies each frame into; the last three are kept.
package main

import "fmt"

type frames struct {
	in  [][]byte
	buf []byte
}

func (f *frames) next() ([]byte, bool) {
	if len(f.in) == 0 {
		return nil, false
	}
	n := copy(f.buf, f.in[0]) // want: refilled-buffer victim=last level=likely
	f.in = f.in[1:]
	return f.buf[:n], true
}

type history struct {
	last [3][]byte
	seen int
}

func (h *history) keep(frame []byte) {
	h.last[h.seen%len(h.last)] = frame
	h.seen++
}

func main() {
	f := &frames{buf: make([]byte, 64)}
	for _, text := range []string{"open the door", "close the door", "ring the bell"} {
		f.in = append(f.in, []byte(text))
	}
	h := &history{}
	for {
		frame, more := f.next()
		if !more {
			break
		}
		h.keep(frame)
	}
	for i := range h.last {
		fmt.Printf("%d: %s\n", i, h.last[i])
	}
	if string(h.last[0]) != "open the door" {
		fmt.Println("WRONG: the first is no longer what it was")
		return
	}
	fmt.Println("OK")
}
