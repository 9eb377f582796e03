// A handler holds the list of servers while the configuration is loaded anew. json.Unmarshal reuses the array of the slice that
// it is given, so the handler's list changes under its hands. The two take turns: there is no data race.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type config struct {
	Servers []string
}

func load(c *config, names ...string) {
	document := `{"Servers": ["` + strings.Join(names, `", "`) + `"]}`
	if err := json.Unmarshal([]byte(document), c); err != nil {
		panic(err)
	}
}

func main() {
	if len(os.Args) > 1 {
		measure()
		return
	}
	var current config
	load(&current, "alpha", "beta", "gamma", "delta")
	loaded, handled := make(chan bool), make(chan bool)
	go func() {
		servers := current.Servers
		want := strings.Join(servers, " ")
		loaded <- true
		<-loaded
		if got := strings.Join(servers, " "); got != want {
			fmt.Printf("WRONG: the handler began with %q and ends with %q\n", want, got)
		} else {
			fmt.Println("OK: the handler ends with what it began with")
		}
		handled <- true
	}()
	<-loaded
	load(&current, "echo", "foxtrot") // the repair: var next config; load(&next, ...); current = next
	loaded <- true
	<-handled
}
