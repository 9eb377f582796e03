// One GET with a time limit. libcurl is opened by name; its header gives the types of the six functions that
// are used. What a server sends is bounded as a file is.
#include "profile/fetch.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/text.h"
#include "profile/profile.h"

namespace geist::profile {
namespace {

constexpr long kConnectSeconds = 10;
constexpr long kMostRedirects = 10;
constexpr usize kMostShown = 200;  // of what a server says about its error

// The functions of libcurl that are used, by the types of its header.
struct Curl {
  decltype(&curl_easy_init) init = nullptr;
  decltype(&curl_easy_setopt) set = nullptr;
  decltype(&curl_easy_perform) perform = nullptr;
  decltype(&curl_easy_getinfo) get = nullptr;
  decltype(&curl_easy_strerror) message = nullptr;
  decltype(&curl_easy_cleanup) cleanup = nullptr;
};

template <typename Function>
bool find_function(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(::dlsym(library, name));
  return *function != nullptr;
}

Result<Curl> load_curl() {
  void* library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) library = ::dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
  Curl curl;
  if (library == nullptr || !find_function(library, "curl_easy_init", &curl.init) ||
      !find_function(library, "curl_easy_setopt", &curl.set) ||
      !find_function(library, "curl_easy_perform", &curl.perform) ||
      !find_function(library, "curl_easy_getinfo", &curl.get) ||
      !find_function(library, "curl_easy_strerror", &curl.message) ||
      !find_function(library, "curl_easy_cleanup", &curl.cleanup)) {
    return Error("libcurl is not here, so nothing can be fetched", ErrorKind::kSystem)
        .with_hint("apt-get install libcurl4, or fetch the profile to a file first");
  }
  return curl;
}

struct Body {
  LoadedBytes bytes;
  bool is_too_large = false;
};

usize take_bytes(char* data, usize size, usize count, void* user) {
  Body& body = *static_cast<Body*>(user);
  const usize length = size * count;
  std::span<u8> room;
  if (body.bytes.bytes().size() + length <= kMostUnpacked) room = body.bytes.reserve(length);
  if (room.size() < length) {
    body.is_too_large = true;
    return 0;
  }
  std::memcpy(room.data(), data, length);
  body.bytes.take(length);
  return length;
}

bool has_scheme(const std::string& word) {
  return word.starts_with("http://") || word.starts_with("https://");
}

// "server: no such profile", for what a server says about its error in plain text.
std::string server_words(const Body& body) {
  ByteView bytes = body.bytes.bytes();
  std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                        std::min(bytes.size(), kMostShown));
  text = text.substr(0, text.find('\n'));
  return text.empty() || text.starts_with('<') ? "" : ": " + printable(text);
}

}  // namespace

bool is_url(const std::string& word) {
  if (has_scheme(word)) return true;
  if (::access(word.c_str(), F_OK) == 0) return false;
  const usize colon = word.find(':');
  const usize slash = std::min(word.find('/'), word.size());
  if (colon == word.npos || colon == 0 || colon + 1 >= slash) return false;
  return word.find_first_not_of("0123456789", colon + 1) >= slash;
}

std::string complete_url(const std::string& word) {
  std::string url = has_scheme(word) ? word : "http://" + word;
  const usize host = url.find("://") + 3;
  const usize path = url.find('/', host);
  if (path == url.npos) return url + "/debug/pprof/profile";
  return path + 1 == url.size() ? url + "debug/pprof/profile" : url;
}

Result<LoadedBytes> fetch_url(const std::string& url, u64 timeout_s) {
  GEIST_TRY(curl, load_curl());
  std::unique_ptr<CURL, void (*)(CURL*)> handle(curl.init(), curl.cleanup);
  if (handle == nullptr) return Error("libcurl does not start", ErrorKind::kSystem);
  Body body;
  curl.set(handle.get(), CURLOPT_URL, url.c_str());
  curl.set(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl.set(handle.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl.set(handle.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl.set(handle.get(), CURLOPT_MAXREDIRS, kMostRedirects);
  curl.set(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl.set(handle.get(), CURLOPT_TIMEOUT, static_cast<long>(timeout_s));
  curl.set(handle.get(), CURLOPT_CONNECTTIMEOUT,
           std::min(static_cast<long>(timeout_s), kConnectSeconds));
  curl.set(handle.get(), CURLOPT_USERAGENT, "geist/" GEIST_VERSION);
  curl.set(handle.get(), CURLOPT_WRITEFUNCTION, take_bytes);
  curl.set(handle.get(), CURLOPT_WRITEDATA, &body);
  const CURLcode code = curl.perform(handle.get());
  if (body.is_too_large)
    return Error(fmt::format("{}: more than {} GiB, or than the memory that is free", url,
                             kMostUnpacked >> 30),
                 ErrorKind::kSystem);
  if (code != CURLE_OK)
    return Error(fmt::format("{}: {}", url, curl.message(code)), ErrorKind::kSystem);
  long status = 0;
  curl.get(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200)
    return Error(fmt::format("{}: the server answers {}{}", url, status, server_words(body)),
                 ErrorKind::kSystem);
  return std::move(body.bytes);
}

}  // namespace geist::profile
