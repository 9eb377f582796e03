// Package chain is a list with types, made of container/list as generic libraries make theirs: other names, the same
// words in the same order.
package chain

type Link[T any] struct {
	next, prev *Link[T]
	list       *Chain[T]
	Value      T
}

func (l *Link[T]) Next() *Link[T] {
	if n := l.next; l.list != nil && n != &l.list.root {
		return n
	}
	return nil
}

func (l *Link[T]) Prev() *Link[T] {
	if p := l.prev; l.list != nil && p != &l.list.root {
		return p
	}
	return nil
}

type Chain[T any] struct {
	root Link[T]
	len  int
}

func New[T any]() *Chain[T] {
	c := new(Chain[T])
	c.root.next = &c.root
	c.root.prev = &c.root
	return c
}

func (c *Chain[T]) Len() int { return c.len }

func (c *Chain[T]) Front() *Link[T] {
	if c.len == 0 {
		return nil
	}
	return c.root.next
}

func (c *Chain[T]) PushBack(v T) *Link[T] {
	l := &Link[T]{Value: v, prev: c.root.prev, next: &c.root, list: c}
	l.prev.next = l
	l.next.prev = l
	c.len++
	return l
}

func (c *Chain[T]) remove(l *Link[T]) {
	l.prev.next = l.next
	l.next.prev = l.prev
	l.next = nil
	l.prev = nil
	l.list = nil
	c.len--
}

func (c *Chain[T]) Remove(l *Link[T]) T {
	if l.list == c {
		c.remove(l)
	}
	return l.Value
}
