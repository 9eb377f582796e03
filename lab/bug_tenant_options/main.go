// Options of all tenants begin with the same four; each appends its own name. Of an option only the
// value differs from tenant to tenant, and each append writes over the one before.
package main

import "fmt"

type option struct{ key, val string }

type tenant struct {
	name string
	opts []option
}

func load(names []string) map[string]*tenant {
	base := []option{{"region", "eu"}, {"tier", "1"}, {"log", "on"}}
	base = append(base, option{"version", "2"})
	all := map[string]*tenant{}
	for _, name := range names {
		all[name] = &tenant{name, append(base, option{"tenant", name})} // want: ghost-write victim=opts
	}
	return all
}

func main() {
	for name, t := range load([]string{"acme", "globex", "initech"}) {
		if t.opts[4].val != name {
			fmt.Println("WRONG: a tenant has the options of", t.opts[4].val)
			return
		}
	}
	fmt.Println("OK")
}
