// Templates with nested definitions, ranges over maps and slices, pipelines and functions, executed many times.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"text/template"
)

type item struct {
	Name  string
	Price float64
	Tags  []string
}

func (i item) Total(n int) string { return fmt.Sprintf("%.2f", i.Price*float64(n)) }

const text = `{{define "tag"}}<{{.}}>{{end}}{{define "item"}}{{.Name | upper | printf "%-8s"}} {{.Total 3}}{{range .Tags}} {{template "tag" .}}{{else}} none{{end}}
{{end -}}
{{- with .Title}}{{.}}:{{end}}
{{range $i, $e := .Items}}{{$i}} {{template "item" $e}}{{end}}{{range $k, $v := .Map}}{{$k}}={{len $v}};{{end}}
{{if and (gt (len .Items) 2) (not .Quiet)}}{{index .Items 1 | printf "%v"}}{{else if .Quiet}}quiet{{end}} {{slice .Title 1 3}} {{sorted .Words}}
`

func main() {
	t := template.Must(template.New("page").Funcs(template.FuncMap{
		"upper":  strings.ToUpper,
		"sorted": func(w []string) []string { w = append([]string(nil), w...); sort.Strings(w); return w },
	}).Parse(text))
	clone := template.Must(template.Must(t.Clone()).Parse(`{{define "tag"}}({{.}}){{end}}`))
	for i := 0; i < 6; i++ {
		var items []item
		for k := 0; k < i; k++ {
			items = append(items, item{fmt.Sprint("it", k), float64(k) + 0.25, strings.Split("red,big,new", ",")[:k%4]})
		}
		data := map[string]any{"Title": fmt.Sprint("List ", i), "Items": items, "Quiet": i%2 == 1, "Words": []string{"z", "b", "a"},
			"Map": map[string][]int{"one": {1}, "none": nil, "two": {1, 2}}}
		for _, tt := range []*template.Template{t, clone} {
			if err := tt.Execute(os.Stdout, data); err != nil {
				fmt.Println("WRONG:", err)
				return
			}
		}
	}
}
