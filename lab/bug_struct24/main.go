// Elements of 24 bytes, on the stack of main: two tours start with the same two stops.
package main

import (
	"fmt"
	"strings"
)

type stop struct {
	city string
	km   int
}

func parse(text string) []stop {
	var stops []stop
	for i, city := range strings.Fields(text) {
		stops = append(stops, stop{city, 100 * i})
	}
	return stops
}

func length(tour []stop) (km int) {
	for _, s := range tour {
		km += s.km
	}
	return km
}

func main() {
	start := parse("Kiel Ulm Jena") // len 3, cap 4
	north := append(start, stop{"Rostock", 500})
	south := append(start, stop{"Passau", 900}) // want: ghost-write victim=north before="Rostock" after="Passau"

	a, b := length(north), length(south)
	fmt.Println("north", a, "south", b)
	if a != 800 {
		fmt.Printf("WRONG: the tour to the north has %d km and ends in %s\n", a, north[3].city)
		return
	}
	fmt.Println("OK")
}
