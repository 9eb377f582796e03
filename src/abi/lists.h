// What the runtime inside the target knows of lists of the shape of container/list, under whatever
// name: elements {next, prev, list, …}, a list that begins with its root element.
//
// Source: container/list/list.go, go1.21 to go1.27; the copies that generic libraries make of it have
// the same first words.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace geist::abi {

inline constexpr uint64_t kElementNext = 0, kElementPrev = 8, kElementList = 16;

enum ListOperation : uint32_t {
  kListNext = 0,
  kListPrev = 1,
  kListRemove = 2,
  kListMove = 3,    // MoveToFront, MoveToBack, MoveBefore, MoveAfter
  kListInsert = 4,  // InsertBefore, InsertAfter: the element is the mark
  kListOperations = 5,
};

// By Site::values.
enum ListValue : uint32_t {
  kListElement,  // the element's address
  kListOwner,    // the list that is asked to do it; kListNext, kListPrev: not known, 0
  kListOther,    // a word that may be that list instead: then the other one is the element's; or 0
  kListFrame,    // bytes from SP to the function's return address
  kListValues,
};

// Who removed what, for those that ask the element for its neighbours afterwards. An element has one
// place in the table; who comes later takes it.
inline constexpr uint32_t kRemovedElements = 4096;
inline constexpr uint32_t kRemovalFrames = 8;
struct RemovedElement {
  uint64_t element;  // 0: free, or being written
  uint64_t list;
  uint64_t next;  // its neighbours before; the list itself where it was the last, the first
  uint64_t prev;
  uint64_t goid;
  uint32_t site;  // whose record it is
  uint32_t frames;
  uint64_t pcs[kRemovalFrames];  // return addresses, innermost first
  uint32_t busy;                 // 1: somebody writes it
  uint32_t reserved;
};
static_assert(sizeof(RemovedElement) == 120);

}  // namespace geist::abi
