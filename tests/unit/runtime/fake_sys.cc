#include "fake_sys.h"

#include "runtime/sys.h"

namespace geist::runtime {

FakeSys fake;

void futex_wait(volatile uint32_t* word, uint32_t expected, uint64_t timeout_us) {
  ++fake.waits;
  if (*word != expected) return;
  if (fake.on_wait) fake.on_wait(word, timeout_us);
}
void futex_wake(volatile uint32_t*) {
  ++fake.wakes;
}
uint64_t read_tsc() {
  return fake.tsc;
}

}  // namespace geist::runtime
