// A document read token by token: names of open elements on a stack, text in a buffer that is used again, entities and
// namespaces; and written again by an encoder.
package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

func main() {
	var doc strings.Builder
	doc.WriteString(`<?xml version="1.0"?><root xmlns:k="urn:k">`)
	for i := 0; i < 15; i++ {
		fmt.Fprintf(&doc, `<k:item n="%d" k:b="&lt;%d"><a>x%d</a><b/><![CDATA[c<%d]]><!-- %d --></k:item>`, i, i, i, i, i)
	}
	doc.WriteString("</root>")
	d := xml.NewDecoder(strings.NewReader(doc.String()))
	var out bytes.Buffer
	e := xml.NewEncoder(&out)
	var open []string
	var text []byte
	texts := map[string]int{}
	for {
		t, err := d.Token()
		if err == io.EOF {
			break
		} else if err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		switch t := t.(type) {
		case xml.StartElement:
			open = append(open, t.Name.Local)
			text = text[:0]
			for _, a := range t.Attr {
				text = append(text, a.Value...)
			}
		case xml.EndElement:
			texts[strings.Join(open, "/")+":"+string(text)]++
			open = open[:len(open)-1]
		case xml.CharData:
			text = append(text, t...)
		case xml.ProcInst:
			continue
		}
		if err := e.EncodeToken(xml.CopyToken(t)); err != nil {
			fmt.Println("WRONG:", err)
			return
		}
	}
	if err := e.Flush(); err != nil || len(open) != 0 {
		fmt.Println("WRONG:", err, open)
		return
	}
	fmt.Println(len(texts), out.Len())
	fmt.Println(out.String())
}
