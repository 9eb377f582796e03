// strings.Builder only ever appends to what it owns; the strings it made stay as they are.
package main

import (
	"fmt"
	"strings"
)

func main() {
	var made []string
	var b strings.Builder
	for i := 0; i < 200; i++ {
		b.WriteString("part")
		b.WriteByte(byte('a' + i%26))
		made = append(made, b.String()) // shares its bytes with the builder
		if i%10 == 9 {
			b.Reset()
		}
	}
	if made[1] != "partapartb" || made[0] != "parta" || len(made[199]) != 50 {
		fmt.Println("WRONG:", made[1], made[0])
		return
	}
	fmt.Println("OK")
}
