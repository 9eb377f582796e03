// The first names of a list get one more; the list itself, in the same function, goes on to be printed
// as the slice it was.
package main

import (
	"fmt"
	"strings"
)

func main() {
	names := strings.Split("ann,bob,carol,dave,erin", ",")
	winners := append(names[:2], "zoe") // want: ghost-write victim=names before="carol" after="zoe"

	list := strings.Join(names, " ")
	fmt.Println("winners", winners)
	if list != "ann bob carol dave erin" {
		fmt.Println("WRONG: the names are", list)
		return
	}
	fmt.Println("OK")
}
