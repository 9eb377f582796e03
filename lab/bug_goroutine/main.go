// The append happens in another goroutine, long after the slice was handed to it.
package main

import (
	"fmt"
	"sync"
)

type audit struct {
	mu     sync.Mutex
	events []string
}

func (a *audit) record(events []string, who string, done *sync.WaitGroup) {
	defer done.Done()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(events, "audited by "+who) // want: ghost-write victim=events before="logout" after="audited by bot"
}

type session struct {
	events []string
}

func main() {
	s := &session{events: make([]string, 0, 4)}
	s.events = append(s.events, "login", "view")
	seen := s.events
	s.events = append(s.events, "logout")

	var a audit
	var done sync.WaitGroup
	done.Add(1)
	go a.record(seen, "bot", &done)
	done.Wait()

	fmt.Println(s.events, len(a.events))
	if got := s.events[2]; got != "logout" {
		fmt.Println("WRONG: the session ends with", got)
		return
	}
	fmt.Println("OK")
}
