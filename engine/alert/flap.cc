// SPDX-License-Identifier: Apache-2.0
#include "alert/flap.h"

namespace tocsin::alert {
namespace {

constexpr std::uint32_t kAllLooks = (std::uint32_t{1} << kFlapLooks) - 1;
constexpr int kChanges = kFlapLooks - 1;
constexpr double kNewestWeight = 1.2;
constexpr double kOldestWeight = 0.8;

}  // namespace

std::uint32_t with_look(std::uint32_t looks, bool there) {
  return ((looks << 1) | (there ? 1U : 0U)) & kAllLooks;
}

std::uint32_t looks_of(bool there) { return there ? kAllLooks : 0; }

double flapping_share(std::uint32_t looks) {
  const std::uint32_t changes = looks ^ (looks >> 1);
  double sum = 0;
  for (int age = 0; age < kChanges; ++age) {
    const double weight = kNewestWeight - (kNewestWeight - kOldestWeight) * age / (kChanges - 1);
    if ((changes >> age & 1U) != 0) sum += weight;
  }
  return sum / kChanges;
}

}  // namespace tocsin::alert
