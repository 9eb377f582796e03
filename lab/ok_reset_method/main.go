// A value that is reset and filled again, copied into a local struct for one use.
package main

import "fmt"

type packet struct {
	header [2]byte
	body   []byte
}

func (p *packet) reset() { p.body = p.body[:0] }

func (p *packet) fill(n int) {
	for i := 0; i < 4; i++ {
		p.body = append(p.body, byte(n+i))
	}
	p.header = [2]byte{byte(len(p.body)), p.body[0]}
}

func checksum(p packet) (sum int) { // a copy, dead when it returns
	for _, b := range p.body {
		sum += int(b)
	}
	return sum + int(p.header[0])
}

func main() {
	p := &packet{}
	for i := 0; i < 60; i++ {
		p.reset()
		p.fill(i)
		local := *p
		if got := checksum(local); got != 4*i+6+4 {
			fmt.Println("WRONG:", i, got)
			return
		}
	}
	fmt.Println("OK")
}
