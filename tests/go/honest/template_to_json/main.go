// A text template writes JSON, which is decoded, ordered and written again: template, json and sort in one program.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"text/template"
)

type host struct {
	Zone string            `json:"zone"`
	Name string            `json:"name"`
	Load float64           `json:"load"`
	Env  map[string]string `json:"env,omitempty"`
	Port []int             `json:"ports"`
}

func main() {
	t := template.Must(template.New("hosts").Parse(`[{{range $i, $h := .}}{{if $i}},{{end}}{"name":{{printf "%q" $h.Name}},"load":{{$h.Load}},` +
		`"ports":[{{range $k, $p := $h.Port}}{{if $k}},{{end}}{{$p}}{{end}}],"zone":"{{.Zone}}"{{with .Env}},"env":{ {{range $k, $v := .}}"{{$k}}":"{{$v}}"{{end}} }{{end}}}{{end}}]`))
	var buf bytes.Buffer
	for round := 0; round < 6; round++ {
		var hosts []host
		for i := 0; i < 3+round; i++ {
			h := host{fmt.Sprint("z", i%3), fmt.Sprint("h", i*7%10), float64(i) * 1.5, nil, nil}
			for p := 0; p < i%4; p++ {
				h.Port = append(h.Port, 8000+p)
			}
			if i%2 == 1 {
				h.Env = map[string]string{"A": fmt.Sprint(i)}
			}
			hosts = append(hosts, h)
		}
		buf.Reset()
		if err := t.Execute(&buf, hosts); err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		var back []host
		if err := json.Unmarshal(buf.Bytes(), &back); err != nil {
			fmt.Println("WRONG:", err, buf.String())
			return
		}
		kept := back[:0]
		for _, h := range back {
			if h.Load >= 1 || h.Zone != "z9" {
				kept = append(kept, h)
			}
		}
		back = kept
		sort.Slice(back, func(i, j int) bool { return back[i].Name < back[j].Name })
		out, err := json.MarshalIndent(back, "", " ")
		fmt.Println(string(out), err)
	}
}
