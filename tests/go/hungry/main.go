// Takes memory until there is none.
package main

import "fmt"

func main() {
	var all [][]byte
	for {
		block := make([]byte, 16<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		all = append(all, block)
		if len(all) > 1<<12 {
			fmt.Println("enough")
			return
		}
	}
}
