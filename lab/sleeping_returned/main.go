// What a function collects and returns may begin on its stack (Go 1.26 and later): it moves to the heap when it is returned, and how much
// room it gets there is not said either.
package main

import "fmt"

//go:noinline
func base() []int {
	var ports []int
	for i := 0; i < 4; i++ {
		ports = append(ports, 8000+i)
	}
	return ports
}

//go:noinline
func with(ports []int, port int) []int {
	return append(ports, port) // sleeps: writer
}

func main() {
	ports := base()
	admin, public := with(ports, 9000), with(ports, 80)
	fmt.Println(admin, public)
	if admin[4] != 9000 {
		fmt.Println("WRONG: the admin port is", admin[4])
		return
	}
	fmt.Println("OK")
}
