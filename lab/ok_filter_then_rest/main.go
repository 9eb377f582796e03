// Parcels are filtered in place, in their own list, by a method that is inlined; then the list is
// replaced by what was kept, and the places behind it are cleared through the old one.
package main

import (
	"fmt"
	"strings"
)

type parcel struct {
	to    string
	heavy bool
}

type van struct{ parcels []*parcel }

func (v *van) keepLight() (heavy int) {
	kept := v.parcels[:0]
	for _, p := range v.parcels {
		if p.heavy {
			heavy++
			continue
		}
		kept = append(kept, p)
	}
	for i := len(kept); i < len(v.parcels); i++ {
		v.parcels[i] = nil
	}
	v.parcels = kept
	return heavy
}

func (v *van) towns() string {
	var towns []string
	for _, p := range v.parcels {
		towns = append(towns, p.to)
	}
	return strings.Join(towns, ",")
}

func main() {
	v := van{}
	for i, to := range strings.Fields("Ulm Bonn Kiel Jena Hof Trier Halle") {
		v.parcels = append(v.parcels, &parcel{to, i%3 == 0})
	}
	fmt.Println("all", v.towns())
	heavy := v.keepLight()
	fmt.Println(heavy, "stay here, the van goes to", v.towns())
	for len(v.parcels) > 0 {
		fmt.Println("deliver", v.parcels[0].to)
		v.parcels = append(v.parcels[:0], v.parcels[1:]...)
	}
	fmt.Println("OK")
}
