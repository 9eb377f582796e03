// An io.Reader that makes its bytes with append into the buffer that it is handed, and a decoder that fills a caller's records so.
// heal-changes: its caller is meant to see what is written
package main

import (
	"bufio"
	"fmt"
	"strconv"
)

type numbers struct{ next, end int }

func (n *numbers) Read(p []byte) (int, error) {
	out := p[:0]
	for n.next < n.end && len(out)+8 <= cap(p) {
		out = strconv.AppendInt(out, int64(n.next), 10)
		out = append(out, '\n')
		n.next++
	}
	if len(out) == 0 {
		return 0, fmt.Errorf("end")
	}
	return len(out), nil
}

type record struct {
	key   string
	value int
}

//go:noinline
func decode(into []record, from int) int {
	list := into[:0]
	for i := 0; i < 5+from%3; i++ {
		list = append(list, record{fmt.Sprint("k", from+i), from * i})
	}
	return len(list)
}

func main() {
	scanner := bufio.NewScanner(&numbers{0, 3000})
	sum := 0
	for scanner.Scan() {
		n, _ := strconv.Atoi(scanner.Text())
		sum += n
	}
	records := make([]record, 16)
	values := 0
	for from := 1; from < 100; from++ {
		n := decode(records, from)
		for _, r := range records[:n] {
			values += r.value + len(r.key)
		}
	}
	if sum != 2999*3000/2 || values != 77493 {
		fmt.Println("WRONG:", sum, values)
		return
	}
	fmt.Println("OK")
}
