// A pointer to an account is kept while another account is opened. What is paid in afterwards goes to the account's former place.
package main

import "fmt"

type account struct {
	owner   string
	balance int
}

type bank struct{ accounts []account }

func (b *bank) open(owner string) *account {
	b.accounts = append(b.accounts, account{owner: owner}) // want: stale-slice
	return &b.accounts[len(b.accounts)-1]
}

type customer struct{ pays *account }

func (b *bank) total() (sum int) {
	for i := range b.accounts {
		sum += b.accounts[i].balance
	}
	return sum
}

func main() {
	b := &bank{}
	alice := &customer{b.open("alice")}
	bob := &customer{b.open("bob")}
	alice.pays.balance += 10
	bob.pays.balance += 5
	if got := b.total(); got != 15 {
		fmt.Println("WRONG: the bank has", got)
		return
	}
	fmt.Println("OK")
}
