// The result is put in order by a deferred function, after the last append and before the caller has it. The local that
// has the old header is not read any more.
package main

import (
	"fmt"
	"slices"
)

type event struct {
	at   int
	kind string
}

type journal struct{ events []event }

func newestFirst(events []event) {
	slices.SortFunc(events, func(a, b event) int { return b.at - a.at })
}

//go:noinline
func check(e event) error {
	if e.kind == "" {
		return fmt.Errorf("no kind at %d", e.at)
	}
	return nil
}

func (l *journal) newest(since int) (out []event, err error) {
	defer func() { newestFirst(out) }()
	events := l.events
	kept := events[:0]
	for i := 0; i < len(events); i++ {
		if events[i].at < since {
			continue
		}
		if err := check(events[i]); err != nil {
			return kept, err
		}
		kept = append(kept, events[i])
	}
	return kept, nil
}

func main() {
	total := ""
	for n := 0; n < 6; n++ {
		events := make([]event, 0, 8)
		for i := 0; i < 5; i++ {
			events = append(events, event{i * 10, string(rune('a' + i))})
		}
		events = append(events, event{60 + n, ""}) // the last one is an error, which the others outlive
		l := &journal{events}
		events, err := l.newest(n * 10)
		for _, e := range events {
			total += e.kind
		}
		if err == nil {
			fmt.Println("WRONG: no error")
			return
		}
		total += "."
	}
	if total != "edcba.edcb.edc.ed.e.." {
		fmt.Println("WRONG:", total)
		return
	}
	fmt.Println("OK")
}
