// Which Go test an append ran in: "example.com/shop.TestOrders/two_chunks".
#pragma once

#include <string>

#include "judge/append.h"

namespace geist::judge {

// The package, and the full name of the test, subtest, benchmark or fuzz target as `go test -v`
// prints it; of a stripped binary, or where the test itself cannot be read, the function that go
// test knows ("TestOrders"). Empty when the append ran in no test, or in a goroutine that more than
// one running test may have started. Needs the live process.
std::string find_test_name(Context& context, const Append& append);

}  // namespace geist::judge
