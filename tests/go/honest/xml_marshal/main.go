// Marshals structs with attributes, character data, nested names and comments, indented and not.
package main

import (
	"encoding/xml"
	"fmt"
)

type address struct {
	City, State string
	Lines       []string `xml:"lines>line"`
}

type person struct {
	XMLName xml.Name `xml:"person"`
	ID      int      `xml:"id,attr"`
	Zone    string   `xml:"zone,attr,omitempty"`
	First   string   `xml:"name>first"`
	Last    string   `xml:"name>last"`
	Age     int      `xml:"age"`
	Note    string   `xml:",comment"`
	Text    string   `xml:",chardata"`
	address
	Friends []*person `xml:"friends>person"`
}

func main() {
	var all []*person
	for i := 0; i < 6; i++ {
		p := &person{ID: i, First: fmt.Sprint("f", i), Last: "l & <l>", Age: 20 + i, Note: " n ", Text: "t\n\t\"q\""}
		p.address = address{City: fmt.Sprint("c", i), State: "s", Lines: []string{"one", fmt.Sprint(i)}}
		if i%2 == 1 {
			p.Zone = "z"
			p.Friends = append(p.Friends, all[:i]...)
		}
		all = append(all, p)
	}
	for _, p := range all {
		a, err := xml.Marshal(p)
		b, _ := xml.MarshalIndent(p, "-", "  ")
		var back person
		err2 := xml.Unmarshal(a, &back)
		fmt.Println(string(a), len(b), err, err2, len(back.Friends), back.First, back.Lines)
	}
}
