// SPDX-License-Identifier: Apache-2.0
#include "daemon/certificate_watch.h"

#include <doctest/doctest.h>

#include "tocsin/duration.h"

namespace tocsin::daemon {
namespace {

// Two self-signed certificates that end on 2030-01-01 and on 2035-06-01.
const char* const kUntil2030 =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBBjCBrAIBATAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARyb290MB4XDTI0MDEw\n"
    "MTAwMDAwMFoXDTMwMDEwMTAwMDAwMFowDzENMAsGA1UEAwwEcm9vdDBZMBMGByqG\n"
    "SM49AgEGCCqGSM49AwEHA0IABHGaPNaRJmLec1zVyf12vJQrd8uSZZlOHA4B68aX\n"
    "9GGkpfici43zDiTMYht9OTyfDDDNj+nZ4P9gHCYs8+YTUJIwCgYIKoZIzj0EAwID\n"
    "SQAwRgIhAJIrTzAd2SZr5korCFujzBgUJzU2VVAQWj+hyw2RGgC0AiEAvJg8k5YU\n"
    "+3gb5EshRwOfGZxHoRnACxqmT45Q9I2b0gg=\n"
    "-----END CERTIFICATE-----\n";
const char* const kUntil2035 =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBBTCBrAIBATAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARyb290MB4XDTI0MDEw\n"
    "MTAwMDAwMFoXDTM1MDYwMTEyMzAwMFowDzENMAsGA1UEAwwEcm9vdDBZMBMGByqG\n"
    "SM49AgEGCCqGSM49AwEHA0IABHGaPNaRJmLec1zVyf12vJQrd8uSZZlOHA4B68aX\n"
    "9GGkpfici43zDiTMYht9OTyfDDDNj+nZ4P9gHCYs8+YTUJIwCgYIKoZIzj0EAwID\n"
    "SAAwRQIgZIny6pfZm0vVeatAkEakpLrRvajZu/j48toX7OFdtBECIQCF7QFeXIdz\n"
    "habeOxZf5Z+XCSGKsPY9nyj2v9WdmKJeBA==\n"
    "-----END CERTIFICATE-----\n";

TEST_CASE("a bundle lasts as long as its last certificate") {
  CHECK(format_rfc3339(*last_not_after(kUntil2030)) == "2030-01-01T00:00:00.000Z");
  CHECK(format_rfc3339(*last_not_after(std::string(kUntil2035) + kUntil2030)) ==
        "2035-06-01T12:30:00.000Z");
}

TEST_CASE("what is no certificate is an error") {
  CHECK(last_not_after("").error().message == "no certificate in it");
  CHECK(last_not_after("hello").error().message == "no certificate in it");
  const std::string damaged =
      std::string(kUntil2030) + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  CHECK(last_not_after(damaged).error().message == "a damaged certificate in it");
}

TEST_CASE("a file that cannot be read is a problem, and the others are read") {
  std::vector<std::string> problems;
  const auto found = read_certificates({{"a", "issuer", "/nowhere/a.pem"}}, Timestamp{}, problems);
  CHECK(found.empty());
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].starts_with("/nowhere/a.pem: "));
}

}  // namespace
}  // namespace tocsin::daemon
