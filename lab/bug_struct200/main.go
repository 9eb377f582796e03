// Elements of 200 bytes: only the last field differs, far behind the first words of the element.
package main

import "fmt"

type sample struct {
	values [24]int64
	sensor string
	_      int64
}

type series struct {
	name    string
	samples []sample
}

func (s series) plus(x sample) *series {
	s.samples = append(s.samples, x) // want: ghost-write victim=samples before="north" after="south"
	return &s
}

func main() {
	base := series{name: "base", samples: make([]sample, 1, 4)}
	base.samples[0].sensor = "reference"

	var x sample
	x.values[3] = 7
	x.sensor = "north"
	a := base.plus(x)
	x.sensor = "south"
	b := base.plus(x)

	fmt.Println(a.samples[1].sensor, b.samples[1].sensor)
	if got := a.samples[1].sensor; got != "north" {
		fmt.Println("WRONG: series a was measured by", got)
		return
	}
	fmt.Println("OK")
}
