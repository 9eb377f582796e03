// GEIST_CHECK: "we are wrong". On in every build. The handler set by cli/ asks for a report and
// exits 4; without one the process aborts, which leaves the broken state to a debugger.
#pragma once

namespace geist {

using CheckHandler = void (*)(const char* condition, const char* file, int line);
void set_check_handler(CheckHandler handler);
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace geist

#define GEIST_CHECK(condition) \
  ((condition) ? (void)0 : ::geist::check_failed(#condition, __FILE__, __LINE__))
