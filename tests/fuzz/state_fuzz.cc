// SPDX-License-Identifier: Apache-2.0
//
// Any bytes are what a disk has made of the state: a whole file (the first byte is D), or one value
// of it. A file is refused, set aside, or can be read and written; a value is refused, or is what
// was written.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "notify/channel_kinds.h"
#include "notify/codec.h"
#include "state/database.h"
#include "state/encoding.h"

namespace {

using namespace tocsin;
namespace fs = std::filesystem;

constexpr Timestamp kNow = from_millis(1'795'369'320'000);

// A folder of the process' own, emptied for every file.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("tocsin-state-fuzz-" + std::to_string(::getpid()));
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

state::Change a_change() {
  state::Change change;
  change.messages[{"chat", "k"}] = state::SavedMessage{"m", kNow};
  change.settings["s"] = "1";
  change.samples = {{Labels{{"__name__", "m"}}, kNow, 1}};
  change.history.push_back({.at = kNow, .rule_name = "A", .labels = Labels{{"a", "b"}}});
  return change;
}

void open_file(std::string_view bytes) {
  const Folder folder;
  const std::string path = (folder.path / "tocsin.db").string();
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  auto database = state::Database::open(path, kNow);
  if (!database) return;  // A newer version's.
  const auto saved = database->load();
  require(saved.has_value(), saved ? "" : saved.error().message);
  const auto applied = database->apply(a_change());
  require(applied.has_value(), applied ? "" : applied.error().message);
}

// As it would go out.
void send(const notify::Content& content) {
  if (const auto* alert = std::get_if<notify::OutgoingAlert>(&content)) {
    (void)notify::alertmanager_body({alert});
    return;
  }
  const auto& group = std::get<notify::GroupMessage>(content);
  const notify::ChannelConfig config;
  for (const auto& kind : notify::channel_kinds()) {
    (void)kind.build(group, {config, "http://receiver/", "key"});
  }
}

void read_values(std::string_view bytes) {
  if (const auto labels = state::decode_labels(bytes)) {
    require(state::encode(*labels) == bytes, "other labels");
  }
  if (const auto texts = state::decode_texts(bytes)) {
    require(state::encode(*texts) == bytes, "other texts");
  }
  if (const auto content = notify::decode_content(bytes)) {
    const std::string text = notify::encode(*content);
    const auto again = notify::decode_content(text);
    require(again && notify::encode(*again) == text, "another message");
    send(*content);
  }
  if (const auto group = notify::decode_group(bytes)) {
    const std::string text = notify::encode(*group);
    const auto again = notify::decode_group(text);
    require(again && notify::encode(*again) == text, "another group");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.starts_with('D')) {
    open_file(bytes.substr(1));
  } else {
    read_values(bytes);
  }
  return 0;
}
