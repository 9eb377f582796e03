// What is kept is an index; and a pointer is taken again after each growth.
package main

import "fmt"

type account struct {
	owner   string
	balance int
}

type bank struct{ accounts []account }

func (b *bank) open(owner string) int {
	b.accounts = append(b.accounts, account{owner: owner})
	return len(b.accounts) - 1
}

func main() {
	b := &bank{}
	var last *account
	for i := 0; i < 20; i++ {
		at := b.open(fmt.Sprint("client", i))
		last = &b.accounts[at]
		last.balance += 3
		b.accounts[0].balance++
	}
	if b.accounts[0].balance != 23 || last.balance != 3 {
		fmt.Println("WRONG:", b.accounts[0], *last)
		return
	}
	fmt.Println("OK")
}
