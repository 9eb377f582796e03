#include "cli/debug_opener.h"

namespace geist::cli {

DebugOpener::DebugOpener(const read::GoBinary& binary) {
  thread_ = std::thread([this, &binary] {
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

read::DebugInfo* DebugOpener::join() {
  if (thread_.joinable()) thread_.join();
  return info_.get();
}

}  // namespace geist::cli
