// Peers say their name in their first packet. It is kept as it came, in the buffer that all packets are received into.
package main

import (
	"bytes"
	"fmt"
	"net"
)

type hub struct {
	socket net.PacketConn
	packet []byte
	peers  map[string]*peer
}

type peer struct {
	name []byte
	seen int
}

// receive takes in one packet.
func (h *hub) receive() error {
	n, from, err := h.socket.ReadFrom(h.packet) // want: refilled-buffer victim=name level=likely frames=5
	if err != nil {
		return err
	}
	p := h.peers[from.String()]
	if p == nil {
		p = &peer{}
		h.peers[from.String()] = p
	}
	if name, is := bytes.CutPrefix(h.packet[:n], []byte("hello from ")); is {
		p.name = name
	}
	p.seen++
	return nil
}

func main() {
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		fmt.Println("WRONG:", err)
		return
	}
	h := &hub{socket, make([]byte, 512), map[string]*peer{}}
	to, err := net.Dial("udp", socket.LocalAddr().String())
	if err != nil {
		fmt.Println("WRONG:", err)
		return
	}
	for _, text := range []string{"hello from berlin", "the weather is fine", "and the trains are late", "bye"} {
		fmt.Fprint(to, text)
		if err := h.receive(); err != nil {
			fmt.Println("WRONG:", err)
			return
		}
	}
	for _, p := range h.peers {
		fmt.Printf("%s sent %d packets\n", p.name, p.seen)
		if string(p.name) != "berlin" {
			fmt.Println("WRONG: that is not its name")
			return
		}
	}
	fmt.Println("OK")
}
