// Expired sessions are removed in a loop over the list. The loop ends after the first one.
package main

import (
	"container/list"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "hold" {
		hold()
		return
	}
	if len(os.Args) > 1 {
		measure()
		return
	}
	sessions := list.New()
	for _, name := range []string{"expired-1", "expired-2", "expired-3"} {
		sessions.PushBack(name)
	}
	for e := sessions.Front(); e != nil; e = e.Next() { // the repair: next := e.Next() before the Remove
		sessions.Remove(e)
	}
	if sessions.Len() != 0 {
		fmt.Printf("WRONG: %d expired sessions are still there, the first is %v\n", sessions.Len(), sessions.Front().Value)
		return
	}
	fmt.Println("OK")
}
