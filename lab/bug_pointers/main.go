// Two scenes share a list of lights; each appends a light of its own.
package main

import "fmt"

type light struct {
	name  string
	watts int
}

type scene struct {
	title  string
	lights []*light
}

func (s *scene) variant(title string, extra *light) *scene {
	return &scene{title, append(s.lights, extra)} // want: ghost-write victim=lights
}

func main() {
	sun, moon, lamp := &light{"sun", 1000}, &light{"moon", 10}, &light{"lamp", 60}
	base := &scene{title: "base"}
	base.lights = append(base.lights, sun, moon, lamp)
	base.lights = append(base.lights, &light{"star", 1}) // grows: len 4, cap 6

	scenes := []*scene{base.variant("evening", &light{"candle", 5}), base.variant("stage", &light{"spot", 500})}
	watts := 0
	for _, l := range scenes[0].lights {
		fmt.Println(scenes[0].title, l.name)
		watts += l.watts
	}
	if watts != 1076 {
		fmt.Printf("WRONG: the evening needs %d watts\n", watts)
		return
	}
	fmt.Println("OK")
}
