// A package variable holds the default hosts. A request appends its own host to a part of them.
package main

import (
	"fmt"
	"strings"
)

var hosts = strings.Fields("localhost db.internal mail.internal")

func allowed(extra string) []string {
	return append(hosts[:1], extra) // want: ghost-write victim=hosts before="db.internal" after="evil.example" holder=global
}

func main() {
	fmt.Println("this request may use", strings.Join(allowed("evil.example"), " "))
	fmt.Println("everybody may use", strings.Join(hosts, " "))
	if hosts[1] != "db.internal" {
		fmt.Println("WRONG: everybody may use", hosts[1])
		return
	}
	fmt.Println("OK")
}
