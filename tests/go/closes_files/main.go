// Closes every file but the standard ones, as daemons do, and counts on getting the lowest numbers for
// the files it opens then.
package main

import (
	"fmt"
	"strconv"
	"syscall"
)

func main() {
	buf := make([]byte, 0, 16)
	for fd := 3; fd < 1000; fd++ {
		syscall.Close(fd)
	}
	for i := 0; i < 20; i++ {
		fd, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0)
		buf = strconv.AppendInt(buf[:0], int64(fd), 10)
		fmt.Println(string(buf), err)
	}
}
