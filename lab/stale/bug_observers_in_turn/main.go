// Subscribers are told through the list as it was when the telling began; one of them subscribes another and mutes the next.
package main

import "fmt"

type subscriber struct {
	muted bool
	tell  func()
}

type topic struct{ subs []subscriber }

func (t *topic) subscribe(f func()) {
	t.subs = append(t.subs, subscriber{tell: f}) // want: stale-slice
}

func (t *topic) publish() {
	for i, s := range t.subs {
		if !s.muted {
			s.tell()
		}
		_ = i
	}
}

func main() {
	t := &topic{}
	heard := ""
	t.subscribe(func() {
		heard += "a"
		t.subscribe(func() { heard += "c" })
		t.subs[1].muted = true
	})
	t.subscribe(func() { heard += "b" })
	t.publish()
	if heard != "a" {
		fmt.Println("WRONG: heard", heard)
		return
	}
	fmt.Println("OK")
}
