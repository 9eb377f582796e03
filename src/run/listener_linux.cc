// See listener.h. /proc/net/tcp has the sockets that listen, by inode; /proc/PID/fd who has them open.
// Source: proc(5); Documentation/networking/proc_net_tcp.rst.
#include "run/listener.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "base/printable.h"

namespace geist::run {
namespace {

constexpr std::string_view kListens = "0A";  // TCP_LISTEN

struct Address {
  std::string host;
  u16 port = 0;
};

std::optional<Address> parse_address(const std::string& url) {
  const usize scheme = url.find("://");
  std::string rest = scheme == url.npos ? url : url.substr(scheme + 3);
  rest = rest.substr(0, rest.find('/'));
  if (const usize user = rest.rfind('@'); user != rest.npos) rest = rest.substr(user + 1);
  const usize colon = rest.rfind(':');
  const bool has_port = colon != rest.npos && rest.find(']', colon) == rest.npos;
  Address address{has_port ? rest.substr(0, colon) : rest, 0};
  if (!has_port) {
    address.port = url.starts_with("https://") ? 443 : 80;
    return address;
  }
  const char* end = rest.data() + rest.size();
  const auto [stop, error] = std::from_chars(rest.data() + colon + 1, end, address.port);
  if (error != std::errc() || stop != end || address.port == 0) return std::nullopt;
  return address;
}

bool is_this_machine(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

std::set<std::string> listening_inodes(u16 port) {
  std::set<std::string> inodes;
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);  // the head
    while (std::getline(in, line)) {
      std::istringstream words(line);
      std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
          timeout >> inode;
      if (state == kListens && local.ends_with(fmt::format(":{:04X}", port))) inodes.insert(inode);
    }
  }
  return inodes;
}

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;

bool has_open(int pid, const std::set<std::string>& inodes) {
  const std::string path = fmt::format("/proc/{}/fd", pid);
  Folder folder(::opendir(path.c_str()), ::closedir);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    char target[64];
    const ssize_t size =
        ::readlink(fmt::format("{}/{}", path, entry->d_name).c_str(), target, sizeof target);
    std::string_view text(target, size > 0 ? static_cast<usize>(size) : 0);
    if (!text.starts_with("socket:[") || !text.ends_with("]")) continue;
    text.remove_prefix(8);
    text.remove_suffix(1);
    if (inodes.contains(std::string(text))) return true;
  }
  return false;
}

}  // namespace

Result<std::string> find_listener(const std::string& url) {
  const std::optional<Address> address = parse_address(url);
  if (!address) return Error(fmt::format("{}: not an address with a port", printable(url)));
  if (!is_this_machine(address->host))
    return Error(fmt::format("{} is another machine", printable(address->host)));
  const std::set<std::string> inodes = listening_inodes(address->port);
  if (inodes.empty()) return Error(fmt::format("nobody listens on port {}", address->port));
  Folder folder(::opendir("/proc"), ::closedir);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const std::string name = entry->d_name;
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    if (has_open(std::atoi(name.c_str()), inodes)) return name;
  }
  return Error(fmt::format("who listens on port {} is hidden from this user", address->port))
      .with_hint("Run geist as that process's user, or as root.");
}

}  // namespace geist::run
