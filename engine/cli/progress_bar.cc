// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>

namespace tocsin::cli {
namespace {

constexpr int kWidth = 40;

}  // namespace

ProgressBar::~ProgressBar() {
  if (percent_ >= 0) std::cerr << "\r\033[K" << std::flush;
}

void ProgressBar::show(double done) {
  const int percent = static_cast<int>(std::clamp(done, 0.0, 1.0) * 100);
  if (percent == percent_ || ::isatty(STDERR_FILENO) != 1) return;
  percent_ = percent;
  const auto filled = static_cast<std::size_t>(percent * kWidth / 100);
  std::cerr << "\r[" << std::string(filled, '=') << std::string(kWidth - filled, ' ') << "] "
            << percent << "%" << std::flush;
}

}  // namespace tocsin::cli
