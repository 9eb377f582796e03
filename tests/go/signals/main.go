// Says that it is ready and then waits for signals. "notify" handles INT, TERM, HUP and USR1 and ends
// at TERM; "default" leaves them to their default action; "ignore" ignores INT and ends by itself.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	buf := make([]byte, 0, 16)
	mode := os.Args[1]
	switch mode {
	case "notify":
		got := make(chan os.Signal, 8)
		signal.Notify(got, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1)
		fmt.Println("ready")
		for sig := range got {
			buf = append(buf[:0], sig.String()...)
			fmt.Printf("got %s\n", buf)
			if sig == syscall.SIGTERM {
				os.Exit(7)
			}
		}
	case "default":
		fmt.Println("ready")
		time.Sleep(20 * time.Second)
		fmt.Println("not killed")
	case "ignore":
		signal.Ignore(syscall.SIGINT)
		fmt.Println("ready")
		time.Sleep(300 * time.Millisecond)
		fmt.Println("still here")
	}
}
