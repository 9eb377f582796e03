// A plan that lives on a goroutine's stack has its last step replaced, again and again; the stack
// grows after each.
package main

import "fmt"

type plan struct {
	name  string
	steps []string
}

//go:noinline
func (p *plan) replace(last string) {
	p.steps = append(p.steps[:len(p.steps)-1], last)
}

//go:noinline
func depth(n int) int {
	var room [256]byte
	if n == 0 {
		return int(room[n])
	}
	room[n%256] = byte(n)
	return depth(n-1) + int(room[n%256]&1)
}

//go:noinline
func (p *plan) last() string { return p.steps[len(p.steps)-1] }

func work(done chan<- string) {
	var p plan
	p.steps = append(make([]string, 0, 4), "stop", "copy", "restart")
	got := ""
	for i, last := range []string{"restart web", "restart db", "restart cache"} {
		p.replace(last)
		if depth(60<<(2*i)) < 0 {
			done <- "never"
		}
		got += p.last() + ";"
	}
	done <- got
}

func main() {
	done := make(chan string)
	go work(done)
	got := <-done
	fmt.Println(got)
	if got != "restart web;restart db;restart cache;" {
		fmt.Println("WRONG:", got)
		return
	}
	fmt.Println("OK")
}
