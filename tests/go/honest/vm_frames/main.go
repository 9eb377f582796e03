// A stack machine: each call has its locals as a view of the one stack, and a return cuts the stack to where the call
// began.
package main

import "fmt"

type vm struct {
	stack  []int
	frames []frame
}
type frame struct {
	base   int
	locals []int
}

func (v *vm) call(n int, args ...int) {
	b := len(v.stack)
	v.stack = append(v.stack, args...)
	v.frames = append(v.frames, frame{b, v.stack[b : b+len(args)]})
}
func (v *vm) ret(x int) {
	f := v.frames[len(v.frames)-1]
	v.frames = v.frames[:len(v.frames)-1]
	v.stack = append(v.stack[:f.base], x)
}
func (v *vm) fib(n int) {
	v.call(1, n)
	f := v.frames[len(v.frames)-1]
	if f.locals[0] < 2 {
		v.ret(f.locals[0])
		return
	}
	k := f.locals[0]
	v.fib(k - 1)
	v.fib(k - 2)
	s := v.stack[len(v.stack)-1] + v.stack[len(v.stack)-2]
	v.ret(s)
}
func main() {
	v := &vm{}
	for i := 0; i < 18; i++ {
		v.fib(i)
		fmt.Println(i, v.stack[len(v.stack)-1])
		v.stack = v.stack[:0]
	}
}
