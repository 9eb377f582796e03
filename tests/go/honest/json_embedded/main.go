// Embedded structs with fields that hide each other, names with tags, own marshalers, keys of maps that are sorted.
package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

type color int

func (c color) MarshalText() ([]byte, error) { return []byte(fmt.Sprint("color", int(c))), nil }
func (c *color) UnmarshalText(t []byte) error {
	_, err := fmt.Sscanf(string(t), "color%d", (*int)(c))
	return err
}

type base struct {
	Zip, Name, ID string
	Same          int
}
type other struct {
	Same int
	Name string `json:"other_name"`
}
type deep struct {
	base
	*other
	Zed  int `json:"a_first"`
	Abc  int `json:",omitempty"`
	Kept color
	Map  map[color]float64
	Skip int `json:"-"`
	Str  int `json:",string"`
}
type list []deep

func (l list) MarshalJSON() ([]byte, error) {
	var parts []string
	for i := len(l) - 1; i >= 0; i-- {
		b, err := json.Marshal(l[i].Kept)
		if err != nil {
			return nil, err
		}
		parts = append(parts, string(b))
	}
	return []byte("[" + strings.Join(parts, ",") + "]"), nil
}

func main() {
	var all list
	for i := 0; i < 5; i++ {
		d := deep{base: base{"z", fmt.Sprint("n", i), "i", i}, Zed: i, Kept: color(i), Str: i, Map: map[color]float64{}}
		for k := 0; k < 4; k++ {
			d.Map[color(9-k*i)] = float64(k) / 2
		}
		if i%2 == 0 {
			d.other = &other{Same: -i, Name: "o"}
		}
		all = append(all, d)
		b, err := json.Marshal(d)
		var back deep
		err2 := json.Unmarshal(b, &back)
		fmt.Println(string(b), err, err2, back.Map, back.Str, back.Kept)
	}
	b, err := json.Marshal(map[string]any{"list": all, "b": []list{all[:2], all[3:]}, "a": struct{ Z, Y, X, W *int }{}})
	fmt.Println(string(b), err)
}
