// text/template executed in a loop into one buffer.
package main

import (
	"bytes"
	"fmt"
	"text/template"
)

const text = `{{range $i, $p := .}}{{if $i}}, {{end}}{{$p.Name | printf "%q"}}={{$p.Age}}{{end}}`

type person struct {
	Name string
	Age  int
}

func main() {
	t := template.Must(template.New("t").Parse(text))
	var buf bytes.Buffer
	var last string
	for i := 0; i < 60; i++ {
		buf.Reset()
		if err := t.Execute(&buf, []person{{"ann", i}, {"bob", i + 1}}); err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		last = buf.String()
	}
	if last != `"ann"=59, "bob"=60` {
		fmt.Println("WRONG:", last)
		return
	}
	fmt.Println("OK")
}
