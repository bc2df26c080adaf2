// SPDX-License-Identifier: Apache-2.0
//
// The format of an archive: what was written into a store, hour by hour.
//
//   archive  a folder of files, *.tocsin, named by the moment of their first record. Each can be
//            read without the others.
//   file     kMagic, chunks (chunk.h)
//   chunk    records; what the process wrote at once. One that is torn is left out with what
//            follows it in the file.
//   record   a Kind, and by kind:
//     Run      of the recorder, its number: series of another run are others
//     Text     length, bytes. Texts are numbered as they come, from 0 on, in each file
//     Block    number in this file, number in the run, options
//     Series   block, row, whether it is a counter, how many labels, for each: texts of name, value
//     Column   block, time, whether counters started anew, values of its rows
//     Stale    block, time: all series of the block end
//     Sample   block, row, time, value
//     BlockEnd block
//
// Numbers are varints: seven bits a byte, the lowest first. A time is the difference to the last
// one in the file, in milliseconds. The values of a column are differences to the column before,
// and rows without any are passed over: how many rows there are, then pairs of how many stand still
// and how many do not, each followed by the changes of the latter. A counter that stands still
// costs nothing, one that grows by less than 32 a byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::archive {

inline constexpr std::string_view kMagic = "TOCSIN-ARCHIVE 1\n";
inline constexpr std::string_view kSuffix = ".tocsin";

enum class Kind : std::uint8_t { Run = 1, Text, Block, Series, Column, Stale, Sample, BlockEnd };

void put_varint(std::string& out, std::uint64_t value);

constexpr std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

// Reads what put_varint() and put_change() wrote. Once something is missing, ok() is false and
// everything that is read is 0.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool ok() const { return ok_; }
  bool at_end() const { return at_ == end_; }
  std::uint64_t varint() {
    if (at_ != end_ && (at_[0] & 0x80) == 0) return static_cast<std::uint64_t>(*at_++);
    if (end_ - at_ >= 2 && (at_[1] & 0x80) == 0) {
      const auto low = static_cast<std::uint64_t>(at_[0] & 0x7f);
      const auto high = static_cast<std::uint64_t>(at_[1]);
      at_ += 2;
      return low | high << 7;
    }
    return long_varint();
  }
  std::string_view bytes(std::uint64_t count);
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  double raw_double();

 private:
  std::uint64_t long_varint();
  void fail() {
    ok_ = false;
    at_ = end_;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

// What turns `before` into `now`, both bit for bit; either may be an absent_value().
void put_change(std::string& out, double before, double now);
struct Change {
  double value = 0;
  std::int64_t base = 0;  // What the next difference is taken from; 0 at first.
};
// Integers up to here are exact: 2^53.
inline constexpr std::int64_t kLargest = std::int64_t{1} << 53;
// A change that is no difference of integers.
Change take_other_change(Cursor& from, std::uint64_t code);
inline Change take_change(Cursor& from, std::int64_t base) {
  const std::uint64_t code = from.varint();
  if ((code & 1) != 0) return take_other_change(from, code);
  // Unsigned, so that no bytes make it overflow.
  const auto sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(base) +
                                             static_cast<std::uint64_t>(unzigzag(code >> 1)));
  const bool is_exact = sum >= -kLargest && sum <= kLargest;
  return {static_cast<double>(sum), is_exact ? sum : 0};
}

}  // namespace tocsin::archive
