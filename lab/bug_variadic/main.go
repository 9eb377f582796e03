// opts... hands the caller's slice over as it is. The constructor appends a default to it, twice into
// the same spare slot of the caller's common options.
package main

import "fmt"

type option struct {
	key, value string
}

type client struct {
	name string
	opts []option
}

func newClient(name string, opts ...option) *client {
	opts = append(opts, option{"user-agent", name}) // want: ghost-write victim=opts before="first" after="second"
	return &client{name, opts}
}

func (c *client) get(key string) string {
	for _, o := range c.opts {
		if o.key == key {
			return o.value
		}
	}
	return ""
}

func main() {
	common := make([]option, 0, 4)
	for _, key := range []string{"timeout", "retries"} {
		common = append(common, option{key, "3"})
	}
	clients := []*client{newClient("first", common...), newClient("second", common...)}

	for _, c := range clients {
		fmt.Println(c.name, "calls itself", c.get("user-agent"))
	}
	if got := clients[0].get("user-agent"); got != "first" {
		fmt.Println("WRONG: the first client calls itself", got)
		return
	}
	fmt.Println("OK")
}
