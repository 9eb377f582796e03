// Where memory is refilled: CALLs of memmove, typedslicecopy and reflect.typedslicecopy outside the
// runtime that belong to no append. The CALL goes by way of a trampoline, nothing else is changed.
//
//   runtime.memmove(to AX, from BX, n CX)
//   runtime.typedslicecopy(typ AX, to BX, toLen CX, from DI, fromLen SI)
//   reflect.typedslicecopy(typ AX, to BX, toLen CX, toCap DI, from SI, fromLen R8, fromCap R9)
//
// An event of abi::kRefill has the facts of an append to an empty slice at `to`: old_ptr and dest
// are `to`, new_len, cap and num the elements to be written; of a typed copy they may be too many,
// toLen, until refill_size() is asked. Elements of memmove are bytes. Copies to where only zeros
// stand are not told. Source: runtime/memmove_amd64.s, runtime/mbarrier.go, go1.21 to go1.27.
// Reads of files, pipes and sockets are written by the kernel: they are looked at by the functions
// of internal/poll that have a buffer read into, at their entry and at their returns (abi/reads.h).
// Their events are told at the return, with the registers of the entry and SP at the return address,
// as a copy's, and have the bytes that were read as `num`. They are written already.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "abi/event.h"
#include "probe/patch_plan.h"

namespace geist::probe {

// Left out by name: the runtime and what it is made of, and memory that nobody can have a view of
// before it is written (strings that are put together).
std::vector<PointProbe> find_refill_probes(const read::GoBinary& binary,
                                           const sites::SiteTable& sites);

// One entry and all returns of each function that reads; none of one where a part cannot be had.
std::vector<PointProbe> find_read_probes(const read::GoBinary& binary);
// What runs there.
Primitive note_read(abi::RefillMode mode);
bool is_reader(std::string_view function);
// Who calls them: their events name the function's own record.
std::vector<program::Point> find_calls_of_readers(const read::GoBinary& binary);

// What runs at a CALL of this function; nothing when it copies nothing.
std::optional<Primitive> tell_refill(std::string_view callee);

// How many elements the call with these registers writes at most; `callee` is the called function.
u64 refill_size(std::string_view callee, const abi::Event& event);

}  // namespace geist::probe
