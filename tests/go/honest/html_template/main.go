// Pages with values in text, attributes, URLs, scripts and styles: the escaper works out each place and rewrites the template.
package main

import (
	"fmt"
	"html/template"
	"os"
)

type link struct {
	Href, Text string
	On         bool
}

const page = `<!doctype html><title>{{.Title}}</title><style>.a{width:{{.Width}}px}</style>
<script>var data = {{.Data}}, name = "{{.Title}}";</script>{{block "list" .}}<ul>{{range $i, $l := .Links}}
<li class="{{if $l.On}}on{{else}}off{{end}}" id=n{{$i}} onclick="go({{$l}})"><a href="/x?q={{$l.Text}}&r={{.Href}}" title='{{.Text}}'>{{.Text}}</a>{{end}}</ul>{{end}}
<img src="{{(index .Links 0).Href}}" alt={{.Title}}><p>{{.Safe}}{{/* none */}}<!-- c --></p>
`

func main() {
	t := template.Must(template.New("page").Parse(page))
	other := template.Must(template.Must(t.Clone()).Parse(`{{define "list"}}<ol>{{range .Links}}<li>{{.Text}}{{end}}</ol>{{end}}`))
	for i := 0; i < 4; i++ {
		var links []link
		for k := 0; k <= i; k++ {
			links = append(links, link{fmt.Sprint("javascript:", k), fmt.Sprint("a<b>&\"'", k), k%2 == 0})
		}
		data := map[string]any{"Title": "T & <t>", "Width": 10 * i, "Links": links, "Safe": template.HTML("<b>bold</b>"),
			"Data": map[string]any{"z": []int{3, 2, 1}, "a": "</script>", "links": links}}
		for _, tt := range []*template.Template{t, other} {
			if err := tt.Execute(os.Stdout, data); err != nil {
				fmt.Println("WRONG:", err)
				return
			}
		}
	}
}
