// Listeners that want one message only take themselves off the list while it is walked: the walk has
// its own pointer and length, the list is as full as its array, and the next listener is skipped.
package main

import (
	"fmt"
	"strings"
)

type listener struct {
	name string
	once bool
	got  []string
}

type hub struct {
	byTopic map[string][]*listener
}

//go:noinline
func (h *hub) leave(topic string, who *listener) {
	for i, l := range h.byTopic[topic] {
		if l == who {
			list := h.byTopic[topic]
			h.byTopic[topic] = append(list[:i], list[i+1:]...) // want: ghost-write
			return
		}
	}
}

//go:noinline
func (h *hub) deliver(topic string, l *listener, message string) {
	if l.once {
		h.leave(topic, l)
	}
	l.got = append(l.got, message)
}

//go:noinline
func (h *hub) send(topic, message string) {
	if list, ok := h.byTopic[topic]; ok && len(list) > 0 {
		for _, l := range list {
			h.deliver(topic, l, message)
		}
	}
}

func main() {
	h := &hub{byTopic: map[string][]*listener{}}
	all := []*listener{{name: "audit"}, {name: "mail", once: true}, {name: "metrics"}, {name: "log"}}
	h.byTopic["start"] = append([]*listener(nil), all...)
	h.send("start", "hello")
	var got []string
	for _, l := range all {
		got = append(got, fmt.Sprint(l.name, l.got))
	}
	line := strings.Join(got, " ")
	fmt.Println(line)
	if line != "audit[hello] mail[hello] metrics[hello] log[hello]" {
		fmt.Println("WRONG:", line)
		return
	}
	fmt.Println("OK")
}
