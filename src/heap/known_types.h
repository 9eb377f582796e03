// What Go's runtime and standard library hide behind unsafe.Pointer, or behind a pointer to the
// part that two structs share; written down, since no table of the binary says it.
//
// Each row quotes its Go source. A type is asked for by its full name, so it is only ever the
// library's own. Go 1.21 to 1.27.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heap/heap_types.h"

namespace geist::heap {

// How the one pointer word of `field` in a struct of this name sees what it points to, when its
// declared type (unsafe.Pointer) does not say. kOpaque when nothing is known.
PointerWord find_hidden_pointee(HeapTypes& types, const std::string& struct_name,
                                const std::string& field);

// Is this the struct by which the compiler knows memory that the collector never looks at
// (internal/runtime/sys/nih.go; runtime/internal/sys before go1.24)?
bool is_not_in_heap_marker(const std::string& struct_name);

// A struct of pointers that the collector is not to follow: the runtime allocates it as bytes.
bool has_uncollected_pointers(const std::string& struct_name);

// internal/sync/hashtriemap.go (internal/concurrent in go1.23): a *node points to an entry or to an
// indirect, and its only field, isEntry, says to which.
// Of both the names to ask for, best first: go1.27 may leave only the generic function's own form
// of a type in DWARF (entry[go.shape.int,...]), which has the same layout.
struct NodeNames {
  std::vector<std::string> entry, indirect;
};
std::optional<NodeNames> find_node_names(const std::string& struct_name);

}  // namespace geist::heap
