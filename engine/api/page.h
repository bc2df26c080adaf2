// SPDX-License-Identifier: Apache-2.0
//
// The web page: what is firing and since when, what is about to, and whether Tocsin itself can see,
// think and speak. One document without scripts, made on the server; it works from a phone, in the
// dark, and when nothing else does. Pure.
#pragma once

#include <string>

#include "api/snapshot.h"

namespace tocsin::api {

std::string html_page(const Snapshot& snapshot);

// What is kept of each metric, and who asked for it: the whole list. It does not renew itself, so
// that it can be read.
std::string kept_html(const Snapshot& snapshot);

}  // namespace tocsin::api
