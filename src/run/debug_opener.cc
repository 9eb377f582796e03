#include "run/debug_opener.h"

#include <chrono>

namespace geist::run {

DebugOpener::DebugOpener(const read::GoBinary& binary) {
  // In a thread of its own, or, where there are no more, in wait().
  done_ = std::async(std::launch::async | std::launch::deferred, [this, &binary] {
    Result<std::unique_ptr<read::DebugInfo>> opened = read::DebugInfo::open(binary.image());
    if (!opened.ok()) {
      why_not_ = opened.error().message();
      return;
    }
    info_ = std::move(opened).value();
    std::optional<read::Function> main = binary.pclntab().find_function_named("main.main");
    if (info_ && main) (void)info_->variables_at(main->entry, main->entry);
  });
}

read::DebugInfo* DebugOpener::wait(process::SharedRing& ring) {
  while (done_.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout) ring.beat();
  done_.wait();
  return info_.get();
}

}  // namespace geist::run
