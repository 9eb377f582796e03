// Two plans that live on a goroutine's stack are made from one list of steps with room. Before the
// first is read the goroutine calls deep down: its stack grows, and the plans move with it.
package main

import "fmt"

type plan struct {
	name  string
	steps []string
}

type plans struct {
	first, second plan
}

//go:noinline
func (p *plan) extend(steps []string, last string) {
	p.steps = append(steps, last) // want: ghost-write victim=steps before="restart web" after="restart db"
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
	steps := append(make([]string, 0, 4), "stop", "copy")
	var all plans
	all.first.extend(steps, "restart web")
	all.second.extend(steps, "restart db")
	if depth(200) < 0 {
		done <- "never"
	}
	done <- all.first.last() + ", " + all.second.last()
}

func main() {
	done := make(chan string)
	go work(done)
	got := <-done
	fmt.Println(got)
	if got != "restart web, restart db" {
		fmt.Println("WRONG:", got)
		return
	}
	fmt.Println("OK")
}
