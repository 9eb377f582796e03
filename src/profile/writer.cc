#include "profile/writer.h"

#include <zlib.h>

#include "base/check.h"

namespace geist::profile {

u64 StringTable::id(std::string_view text) {
  auto [it, is_new] = ids_.emplace(text, list_.size());
  if (is_new) list_.push_back(&it->first);  // keys of an unordered_map stay where they are
  return it->second;
}

void StringTable::write(Message* profile) const {
  for (const std::string* text : list_) profile->add(field::kString, std::string_view(*text));
}

Message value_type(StringTable& strings, std::string_view type, std::string_view unit) {
  Message message;
  message.add(field::kType, strings.id(type));
  message.add(field::kUnit, strings.id(unit));
  return message;
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int kGzipWindow =
      15 + 16;  // zlib.h: "add 16 to windowBits to write a simple gzip header"
  GEIST_CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8,
                           Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    std::string_view chunk = bytes.substr(0, 1 << 16);
    bytes.remove_prefix(chunk.size());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(chunk.data()));
    stream.avail_in = static_cast<uInt>(chunk.size());
    do {
      char buffer[1 << 14];
      stream.next_out = reinterpret_cast<Bytef*>(buffer);
      stream.avail_out = sizeof buffer;
      status = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
      GEIST_CHECK(status != Z_STREAM_ERROR);
      out.append(buffer, sizeof buffer - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return out;
}

}  // namespace geist::profile
