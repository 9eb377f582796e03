// A ghost write at another place every tenth of a second, each read at once: something to lose for a geist that is killed.
package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

var (
	hosts0 = strings.Fields("localhost db0 mail")
	hosts1 = strings.Fields("localhost db1 mail")
	hosts2 = strings.Fields("localhost db2 mail")
	hosts3 = strings.Fields("localhost db3 mail")
	hosts4 = strings.Fields("localhost db4 mail")
	hosts5 = strings.Fields("localhost db5 mail")
	hosts6 = strings.Fields("localhost db6 mail")
	hosts7 = strings.Fields("localhost db7 mail")
)

//go:noinline
func allow0(host string) []string { return append(hosts0[:1], host) }

//go:noinline
func allow1(host string) []string { return append(hosts1[:1], host) }

//go:noinline
func allow2(host string) []string { return append(hosts2[:1], host) }

//go:noinline
func allow3(host string) []string { return append(hosts3[:1], host) }

//go:noinline
func allow4(host string) []string { return append(hosts4[:1], host) }

//go:noinline
func allow5(host string) []string { return append(hosts5[:1], host) }

//go:noinline
func allow6(host string) []string { return append(hosts6[:1], host) }

//go:noinline
func allow7(host string) []string { return append(hosts7[:1], host) }

func main() {
	wrong := 0
	for _, step := range []func() string{
		func() string { allow0("evil"); return hosts0[1] },
		func() string { allow1("evil"); return hosts1[1] },
		func() string { allow2("evil"); return hosts2[1] },
		func() string { allow3("evil"); return hosts3[1] },
		func() string { allow4("evil"); return hosts4[1] },
		func() string { allow5("evil"); return hosts5[1] },
		func() string { allow6("evil"); return hosts6[1] },
		func() string { allow7("evil"); return hosts7[1] },
	} {
		if step() == "evil" {
			wrong++
		}
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(time.Duration(len(os.Args)-1) * time.Second)
	fmt.Println(wrong, "hosts are wrong")
}
