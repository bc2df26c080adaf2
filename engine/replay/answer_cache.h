// SPDX-License-Identifier: Apache-2.0
//
// AnswerCache keeps what a server answered to questions about the past in a folder, so that a
// replay that was interrupted goes on where it ended, and a second one asks nothing again. Files
// are whole or not there; one that is damaged counts as absent.
//
// Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tocsin/result.h"

namespace tocsin::replay {

class AnswerCache {
 public:
  // Makes the folder. Fails with Io.
  static Result<AnswerCache> open(std::string folder);

  // The answer to this question, if it is there.
  std::optional<std::string> find(std::string_view question) const;
  // Fails with Io.
  Result<void> keep(std::string_view question, std::string_view answer) const;

 private:
  explicit AnswerCache(std::string folder) : folder_(std::move(folder)) {}
  std::string path_of(std::string_view question) const;

  std::string folder_;
};

}  // namespace tocsin::replay
