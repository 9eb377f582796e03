package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

const (
	staleFor   = 200 * time.Millisecond
	roomRounds = 1000
)

// A setting is what a slice of the configuration holds; atomic, so that what is measured is sharing and not a data race.
type setting struct{ value atomic.Int64 }

// reload starts a reader that keeps the slice, appends one element, changes the first setting through the new slice, and
// counts how often the reader still sees the old one after that.
func reload(n, room int, lasting time.Duration) (reads, stale int, atEnd bool) {
	settings := make([]setting, n, n+room)
	kept := settings
	begin := make(chan bool)
	done := make(chan bool)
	go func() {
		<-begin
		for end := time.Now().Add(lasting); time.Now().Before(end); {
			atEnd = kept[0].value.Load() != 1
			reads++
			if atEnd {
				stale++
			}
		}
		done <- true
	}()
	grown := append(settings, setting{})
	grown[0].value.Store(1)
	begin <- true
	<-done
	return reads, stale, atEnd
}

func measure() {
	reads, stale, atEnd := reload(4, 0, staleFor)
	fmt.Printf("fact reads %d\nfact stale_reads %d\nfact stale_ms %d\nfact stale_at_end %s\n", reads, stale, staleFor.Milliseconds(), yes(atEnd))
	reads, stale, _ = reload(4, 1, staleFor/4)
	fmt.Printf("fact room_reads %d\nfact room_stale_reads %d\n", reads, stale)

	overwritten := 0
	for i := 0; i < roomRounds; i++ {
		shared := make([]int, 3, 4)
		first := append(shared, 1)
		done := make(chan bool)
		go func() {
			_ = append(shared, 2)
			done <- true
		}()
		<-done
		overwritten += number(first[3] != 1)
	}
	fmt.Printf("fact room_rounds %d\nfact room_overwritten %d\n", roomRounds, overwritten)

	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for n := 1; n <= 6; n++ {
		var c config
		load(&c, "w", "x", "y", "z")
		kept := c.Servers
		load(&c, names[:n]...)
		changed := 0
		for i, name := range []string{"w", "x", "y", "z"} {
			changed += number(kept[i] != name)
		}
		fmt.Printf("fact json_overwritten[%d] %d\nfact json_kept[%d] %s\n", n, changed, n, yes(changed == 0))
	}
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
