// SPDX-License-Identifier: Apache-2.0
//
// A bar on standard error that says how far long work is; on a terminal only. It is wiped when the
// work ends.
#pragma once

namespace tocsin::cli {

class ProgressBar {
 public:
  ProgressBar() = default;
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // From 0 to 1.
  void show(double done);

 private:
  int percent_ = -1;
};

}  // namespace tocsin::cli
