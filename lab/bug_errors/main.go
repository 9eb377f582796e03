// Validation errors collected from a shared list of warnings: the elements are interfaces.
package main

import (
	"errors"
	"fmt"
)

type report struct {
	form string
	errs []error
}

func (r *report) with(form string, err error) *report {
	return &report{form, append(r.errs, err)} // want: ghost-write victim=errs before="name is empty" after="mail is wrong"
}

func main() {
	base := &report{form: "base", errs: make([]error, 0, 8)}
	base.errs = append(base.errs, errors.New("old browser"))
	reports := []*report{
		base.with("signup", errors.New("name is empty")),
		base.with("contact", errors.New("mail is wrong")),
	}
	for _, r := range reports {
		fmt.Println(r.form, errors.Join(r.errs...))
	}
	if got := reports[0].errs[1].Error(); got != "name is empty" {
		fmt.Println("WRONG: the signup says", got)
		return
	}
	fmt.Println("OK")
}
